"""In which languages the supplier is asked for its names, besides English."""

from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.environment import Environment
from upstream.reading.languages import CODES, code_among

AS_THE_PAGES = "pages"


def catalog_languages(env: Environment, spoken: list[tuple[str, str]]) -> tuple[str, ...]:
    """Read CATALOG_LANGUAGES: the supplier's codes with commas between them, each once; none where nothing is set.

    "pages" stands for all languages of the pages that the supplier has names in; `spoken` are those of the pages.
    """
    by_code = {code.lower(): code for code in CODES}
    asked = env.listing("CATALOG_LANGUAGES", [])
    if AS_THE_PAGES in asked:
        asked = [code for code in asked if code != AS_THE_PAGES] + [
            code for language, _name in spoken if (code := code_among(language))
        ]
    unknown = [code for code in asked if code.lower() not in by_code]
    if unknown:
        raise ImproperlyConfigured(
            f"CATALOG_LANGUAGES is {', '.join(asked)!r}; upstream has no {', '.join(unknown)}. "
            f"It has names in {', '.join(CODES)}; English ones are always there."
        )
    return tuple(dict.fromkeys(by_code[code.lower()] for code in asked))
