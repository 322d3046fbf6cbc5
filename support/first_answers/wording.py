"""Texts with placeholders in braces, as rules and canned answers have them: checked at saving, filled in when used."""

import re
from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 2000
_NAMED = re.compile(r"\{([a-z_]+)\}")
_BRACE = re.compile(r"[{}]")


def check_text(text: str, names: Collection[str]) -> None:
    """Raise ValidationError, in words for staff, for a placeholder that is none of `names`, or a brace of none."""
    allowed = " ".join(f"{{{name}}}" for name in names) or _("none")
    if len(text) > LONGEST:
        raise ValidationError(_("This is longer than %(count)d characters.") % {"count": LONGEST})
    for name in names_in(text):
        if name not in names:
            raise ValidationError(
                _("“{%(name)s}” can't be filled in here. There are: %(allowed)s") % {"name": name, "allowed": allowed}
            )
    if _BRACE.search(_NAMED.sub("", text)):
        raise ValidationError(
            _("A brace stands alone. Placeholders look like this: %(allowed)s") % {"allowed": allowed}
        )


def names_in(text: str) -> list[str]:
    """Return the placeholders of a text, as often as they stand there."""
    return _NAMED.findall(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its placeholders filled in, each once: what a value says is never read as one."""
    filled = _NAMED.sub(lambda found: values.get(found[1], found[0]), text)
    return "\n".join(line.rstrip() for line in filled.splitlines()).strip()
