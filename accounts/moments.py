"""Moments and days as readers write them: one style for pages, mails and messages, in every language alike.

The browser writes the same in the reader's own time zone (static/js/times.js); both take it from CLDR.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from babel.core import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

WORDS_LAST = timedelta(days=7)  # what is further away is told by its day
Unit = Literal["minute", "hour", "day"]
_UNITS: tuple[tuple[Unit, int, int], ...] = (("minute", 60, 3600), ("hour", 3600, 86_400), ("day", 86_400, 0))


def write_day(day: date) -> str:
    """Return a day, or the day of a moment in the shop's zone: `Nov 29, 2026`, `29 нояб. 2026 г.`"""
    shown = timezone.localtime(day) if isinstance(day, datetime) else day
    return _one_line(format_date(shown, "medium", locale=_locale()))


def write_month(day: date) -> str:
    """Return the month of a day: `November 2026`, `ноябрь 2026 г.`"""
    return _one_line(format_skeleton("yMMMM", datetime(day.year, day.month, 1), locale=_locale()))  # noqa: DTZ001


def write_moment(moment: datetime) -> str:
    """Return a moment in the shop's zone, which is named: `Nov 29, 2026, 6:03 AM UTC`."""
    shown = timezone.localtime(moment)
    return f"{write_day(moment)}, {_one_line(format_time(shown, 'short', locale=_locale()))} {_zone(shown)}"


def write_time(moment: datetime) -> str:
    """Return the time of a moment that is today, in the shop's zone, which is named: `6:03 AM UTC`."""
    shown = timezone.localtime(moment)
    return f"{_one_line(format_time(shown, 'short', locale=_locale()))} {_zone(shown)}"


def write_distance(moment: datetime, *, now: datetime) -> str:
    """Return how far away a moment is: `just now`, `12 min ago`, `3 days ago`, `in 2 hours`; beyond a week its day."""
    seconds = int((moment - now).total_seconds())
    if abs(seconds) >= WORDS_LAST.total_seconds():
        return write_day(moment)
    if -60 < seconds <= 0:
        return _("just now")
    unit, size, _to = next(each for each in _UNITS if abs(seconds) < each[2] or not each[2])
    count = max(1, abs(seconds) // size)
    return _distance(unit, count * size * (1 if seconds > 0 else -1), get_language() or "en")


@lru_cache(maxsize=2_000)  # a list says the same few words again and again
def _distance(unit: Unit, seconds: int, language: str) -> str:
    # Minutes are written short, without the full stop that would end a sentence: the browser does the same.
    style: Literal["short", "long"] = "short" if unit == "minute" else "long"
    text = format_timedelta(
        timedelta(seconds=seconds),
        granularity=unit,
        threshold=1_000,  # "24 minutes" is not "1 hour"
        add_direction=True,
        format=style,
        locale=_locale_of(language),
    )
    return _one_line(text.replace(".", "") if unit == "minute" else text)


def _zone(shown: datetime) -> str:
    name = shown.tzname() or "UTC"
    return f"UTC{name}" if name[:1] in "+-" else name  # some zones have no name but their distance


def _one_line(text: str) -> str:
    # CLDR puts narrow spaces before "AM" and "г."; a line is not broken there either way.
    return text.replace("\u202f", "\u00a0")


def _locale() -> Locale:
    return _locale_of(get_language() or "en")


@lru_cache(maxsize=50)
def _locale_of(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))
