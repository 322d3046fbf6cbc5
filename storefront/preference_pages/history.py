"""What has been changed, in words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from preferences.kinds import Choice, Choices, Image
from preferences.models import PreferenceChange
from preferences.numbers import Number
from preferences.registry import Preference, find, unshown

SHOWN = 30
LONGEST = 80


class Line(NamedTuple):
    """A change; `title` is what was changed, `before` and `after` are short texts."""

    change: PreferenceChange
    title: str
    before: str
    after: str
    may_undo: bool


def lines(user: Any) -> list[Line]:
    """Return the newest changes, and which of them this person may undo."""
    found = []
    for change in PreferenceChange.objects.exclude(name__in=unshown())[:SHOWN]:
        preference = find(change.name)
        title = change.name if preference is None else str(preference.title)
        may_undo = (
            preference is not None and not preference.is_set_outside and bool(user.has_perm(preference.permission))
        )
        before, after = (in_words(preference, value) for value in (change.before, change.after))
        found.append(Line(change, title, before, after, may_undo))
    return found


def in_words(preference: Preference[Any] | None, stored: Any) -> str:
    """Return what is stored as a short text."""
    if stored is None:
        return _("the default")
    kind = None if preference is None else preference.kind
    if isinstance(kind, Image):
        return _("a picture") if stored else _("none")
    if isinstance(kind, Choice | Choices):
        names = dict(kind.options())
        chosen = stored if isinstance(stored, list) else [stored]
        text = ", ".join(str(names.get(one, one)) for one in chosen)
    elif isinstance(stored, Mapping):
        text = ", ".join(f"{name}: {value}" for name, value in stored.items()) or _("the default")
    elif isinstance(kind, Number):
        text = _number(kind, stored)
    elif isinstance(stored, bool):
        text = _("yes") if stored else _("no")
    else:
        text = str(stored)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _number(kind: Number[Any], stored: Any) -> str:
    try:
        return kind.said(kind.read(stored))
    except ValidationError:  # its limits were wider then
        return str(stored)
