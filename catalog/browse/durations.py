"""Lengths of time as readers write them, as exactly as `catalog.models.in_steps` keeps them."""

from functools import lru_cache

from django.utils.translation import get_language, npgettext
from django.utils.translation import gettext as _

from catalog.browse.number_format import write_number
from catalog.models.quality import DAY, HOUR, MINUTE


def write_duration(seconds: int) -> str:
    """Return a length of time in the reader's language: "12 minutes", "2 h 15 min", "3 days"."""
    return _written(seconds, get_language() or "en")


@lru_cache(maxsize=2000)
def _written(seconds: int, _language: str) -> str:
    minutes = max(round(seconds / MINUTE), 1)
    if seconds < HOUR:
        return _count(npgettext("length of time", "%(count)s minute", "%(count)s minutes", minutes), minutes)
    hours, rest = divmod(minutes, 60)
    if seconds >= 2 * DAY:
        days = round(seconds / DAY)
        return _count(npgettext("length of time", "%(count)s day", "%(count)s days", days), days)
    if rest:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}
    return _count(npgettext("length of time", "%(count)s hour", "%(count)s hours", hours), hours)


def _count(words: str, number: int) -> str:
    return words % {"count": write_number(number)}
