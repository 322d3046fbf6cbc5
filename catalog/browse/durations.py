"""Lengths of time as readers write them, as exactly as `catalog.models.in_steps` keeps them."""

from functools import lru_cache

from django.utils.translation import get_language, npgettext, pgettext

from catalog.browse.number_format import write_number
from catalog.models.quality import DAY, MINUTE


def write_duration(seconds: int) -> str:
    """Return a length of time in the reader's language: "12 minutes", "2 h 15 min", "3 days"."""
    return _written(seconds, False, get_language() or "en")


def write_short_duration(seconds: int) -> str:
    """Return a length of time as lists write it: "12 min", "2 h", "2 h 15 min", "3 days"."""
    return _written(seconds, True, get_language() or "en")


@lru_cache(maxsize=2000)
def _written(seconds: int, short: bool, _language: str) -> str:
    minutes = max(round(seconds / MINUTE), 1)
    if seconds >= 2 * DAY:
        days = round(seconds / DAY)
        return _count(npgettext("length of time", "%(count)s day", "%(count)s days", days), days)
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return pgettext("length of time", "%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}
    if hours:
        long = npgettext("length of time", "%(count)s hour", "%(count)s hours", hours)
        return _count(pgettext("length of time", "%(count)s h") if short else long, hours)
    long = npgettext("length of time", "%(count)s minute", "%(count)s minutes", minutes)
    return _count(pgettext("length of time", "%(count)s min") if short else long, minutes)


def _count(words: str, number: int) -> str:
    return words % {"count": write_number(number)}
