"""Days and months as the shop's clock counts them."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone


@dataclass(frozen=True)
class Span:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """The first moment."""
        return _midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.last + timedelta(days=1))

    @property
    def is_day(self) -> bool:
        return self.first == self.last


@dataclass(frozen=True)
class Begun(Span):
    """A day as far as it went: up to a moment of it."""

    until: datetime

    @property
    def ends(self) -> datetime:
        """The first moment that does not count."""
        return self.until


def days_of_month(year: int, month: int, *, until: date) -> list[Span]:
    """Return the days of a month, up to `until`."""
    days = [date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1])]
    return [Span(day, day) for day in days if day <= until]


def months_of_year(year: int, *, until: date) -> list[Span]:
    """Return the months of a year up to the one of `until`, which ends with that day."""
    firsts = [date(year, month + 1, 1) for month in range(12)]
    lasts = [date(year, month + 1, calendar.monthrange(year, month + 1)[1]) for month in range(12)]
    return [Span(first, min(last, until)) for first, last in zip(firsts, lasts, strict=True) if first <= until]


def today() -> date:
    """Return the date on the shop's clock."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
