"""Which languages the shop speaks: English, which its texts are written in, and every one that has a folder."""

from pathlib import Path

from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import to_language

from storefront.configuration.environment import Environment

WRITTEN_IN = "en"


def languages(folder: Path) -> list[tuple[str, str]]:
    """Return (code, name in that language) of English and of what is translated in this folder, sorted by code.

    A translation is a folder like `ru` or `pt_BR` with `LC_MESSAGES/django.po` in it; see docs/translating.md. Raises
    ImproperlyConfigured for one that Django has no name for.
    """
    found = {to_language(path.parents[1].name) for path in folder.glob("*/LC_MESSAGES/django.[pm]o")}
    unknown = sorted(code for code in found if "name_local" not in LANG_INFO.get(code, {}))
    if unknown:
        raise ImproperlyConfigured(
            f"{folder} has {', '.join(unknown)}, which is no language that Django knows; folders are named like ru or "
            "pt_BR."
        )
    codes = [WRITTEN_IN, *sorted(found - {WRITTEN_IN})]
    return [(code, _capitalized(LANG_INFO[code]["name_local"])) for code in codes]


def language_code(env: Environment, spoken: list[tuple[str, str]]) -> str:
    """Read LANGUAGE_CODE, one of the languages that the shop speaks."""
    codes = [code for code, _name in spoken]
    code = env.text("LANGUAGE_CODE", WRITTEN_IN).lower()
    if code not in codes:
        raise ImproperlyConfigured(f"LANGUAGE_CODE is {code!r}; it should be one of {', '.join(codes)}.")
    return code


def _capitalized(name: str) -> str:
    return name[:1].upper() + name[1:]
