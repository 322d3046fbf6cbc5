"""Keeping the totals true: new days, today as it goes on, and days that late charges and refunds have changed."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from accounts.batches import while_time_is_left
from orders.accounting.daily_totals.comparing import differing_days
from orders.accounting.daily_totals.reckoning import add_up, reckon_day, way
from orders.accounting.daily_totals.reckoning import first_day as first_of
from orders.accounting.report import Span
from orders.models import Length, Order, TotalSpan
from wallet.models import LedgerEntry

log = structlog.get_logger(__name__)
DAY = timedelta(days=1)
# Everything that began on a day has been written by then, however long its transaction took.
SETTLED_AFTER = timedelta(hours=2)
# What upstream changes it changes within LATE_CHANGE_DAYS; beyond that all days are compared, less often.
BESIDE_LATE_CHANGES = 7
SUMS = (Length.MONTH, Length.QUARTER)  # months first: quarters are made of them


def keep_totals(*, now: datetime, seconds: float | None = None) -> int:
    """Reckon the days that have changed or were never reckoned, the newest first, then their months and quarters.

    Returns how many of all these. Ends when all is done or the time is over, RUN_SECONDS unless told otherwise; the
    next run goes on.
    """
    today = _today(now)
    note_changes(Span(today - (settings.LATE_CHANGE_DAYS + BESIDE_LATE_CHANGES) * DAY, today - DAY))
    reckoned = 0
    for _left, day in zip(while_time_is_left(seconds), days_due(now=now), strict=False):
        reckon_day(day, now=now)
        reckoned += 1
    for length in SUMS:
        for _left, first in zip(while_time_is_left(seconds), sums_due(length, now=now), strict=False):
            add_up(length, first, now=now)
            reckoned += 1
    return reckoned


def note_changes(span: Span | None = None) -> int:
    """Compare the days of a span, or all there are, with the books; return how many are to be reckoned anew."""
    if span is None:
        ends = TotalSpan.objects.filter(span=Length.DAY).order_by("first").values_list("first", flat=True)
        first, last = ends.first(), ends.last()
        if first is None or last is None:
            return 0
        span = Span(first, last)
    changed = differing_days(span)
    if changed:
        log.info("totals_changed", days=[day.isoformat() for day in sorted(changed)][:50])
    return _mark(Length.DAY, changed)


def reckon_everything_again() -> int:
    """Note that no total is to be trusted: they stay until each is reckoned anew, by `keep_totals`; return how many."""
    return TotalSpan.objects.filter(reckoned_at__isnull=False).update(reckoned_at=None)


def days_due(*, now: datetime) -> list[date]:
    """Return the days whose totals are to be reckoned, the newest first: today always."""
    today, first = _today(now), beginning()
    known = {one.first: one for one in TotalSpan.objects.filter(span=Length.DAY)}
    days = (today - number * DAY for number in range((today - first).days + 1)) if first is not None else iter(())
    return [day for day in days if not is_settled(known.get(day))]


def sums_due(length: Length, *, now: datetime) -> list[date]:
    """Return the first days of the months or quarters that are over and were not added up since a part changed."""
    part = Length.MONTH if length == Length.QUARTER else Length.DAY
    parts = TotalSpan.objects.filter(span=part, first__lt=first_of(length, _today(now)))
    firsts, unsettled = (
        {first_of(length, first) for first in rows.values_list("first", flat=True)}
        for rows in (parts, parts.filter(reckoned_at=None))
    )
    added_up = TotalSpan.objects.filter(span=length, reckoned_at__isnull=False, way=way())
    return sorted(firsts - unsettled - set(added_up.values_list("first", flat=True)), reverse=True)


def beginning() -> date | None:
    """Return the first day on which anything was booked or ordered."""
    zone = timezone.get_default_timezone()
    moments: Iterator[datetime | None] = (
        rows.order_by("created_at").values_list("created_at", flat=True).first()
        for rows in (LedgerEntry.objects, Order.objects)
    )
    days = [timezone.localdate(moment, zone) for moment in moments if moment is not None]
    return min(days) if days else None


def behind(*, now: datetime) -> int:
    """Return how many days, months and quarters are still to be reckoned, besides days that are still written to."""
    over = [day for day in days_due(now=now) if Span(day, day).ends + SETTLED_AFTER <= now]
    return len(over) + sum(len(sums_due(length, now=now)) for length in SUMS)


def is_settled(one: TotalSpan | None) -> bool:
    """Whether a day was reckoned after everything of it had been written, so that only late changes can follow."""
    if one is None or one.reckoned_at is None or one.way != way():
        return False
    return one.reckoned_at >= Span(one.first, one.first).ends + SETTLED_AFTER


def _mark(length: Length, firsts: Iterable[date]) -> int:
    return TotalSpan.objects.filter(span=length, first__in=firsts).update(reckoned_at=None)


def _today(now: datetime) -> date:
    return timezone.localdate(now, timezone.get_default_timezone())
