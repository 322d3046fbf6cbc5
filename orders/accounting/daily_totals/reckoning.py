"""Reckoning the totals of a day or a month anew, all at once or not at all."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from orders.accounting.daily_totals import statement
from orders.accounting.daily_totals.dimensions import WHOLE, dimensions
from orders.accounting.report import Span
from orders.models import GatewayTotal, Length, Total, TotalSpan


def reckon_day(day: date, *, now: datetime) -> None:
    """Write the totals of a day in place of those it has; its month is to be added up again."""
    span = Span(day, day)
    moments = [connection.ops.adapt_datetimefield_value(moment) for moment in (span.begins, span.ends)]
    with transaction.atomic():
        _hold(Length.DAY, day)
        _forget(Length.DAY, day)
        GatewayTotal.objects.filter(day=day).delete()
        with connection.cursor() as cursor:
            cursor.execute(statement.totals_of_day(), [*moments * statement.PARTS, _as_kept(day)])
            cursor.execute(statement.payments_of_day(), [_as_kept(day), *moments])
        _add_up_again(day)
        _done(Length.DAY, day, now)


def add_up(length: Length, first: date, *, now: datetime) -> None:
    """Add up a month's days, or a quarter's months, as they are."""
    parts = (first, last_day(length, first))
    with transaction.atomic():
        _hold(length, first)
        _forget(length, first)
        with connection.cursor() as cursor:
            cursor.execute(statement.added_up(length), [_as_kept(day) for day in (first, *parts)])
        if length == Length.MONTH:
            _add_up_again(first, Length.QUARTER)
        _done(length, first, now)


def first_day(length: Length, day: date) -> date:
    """Return the first day of the month or quarter that a day is in."""
    month = day.month if length == Length.MONTH else (day.month - 1) // 3 * 3 + 1
    return day.replace(month=month, day=1)


def last_day(length: Length, day: date) -> date:
    """Return the last day of the month or quarter that a day is in."""
    first = first_day(length, day)
    days = 31 if length == Length.MONTH else 3 * 31
    return (first + timedelta(days=days)).replace(day=1) - timedelta(days=1)


def _add_up_again(day: date, *lengths: Length) -> None:
    """Note that what a day is in is to be added up again. Whoever is at that holds its row: it waits for them.

    In this order everywhere, so that two days of a quarter don't wait for each other.
    """
    for length in lengths or (Length.MONTH, Length.QUARTER):
        TotalSpan.objects.filter(span=length, first=first_day(length, day)).update(reckoned_at=None)


def way() -> str:
    """Return how totals are reckoned now; those that were reckoned otherwise are to be reckoned again."""
    return f"{settings.TIME_ZONE}: {' '.join(dimensions())}"


def _hold(length: Length, first: date) -> None:
    """Wait until nobody else is at this span. On SQLite the whole transaction does not: there is one writer."""
    TotalSpan.objects.bulk_create([TotalSpan(span=length, first=first)], ignore_conflicts=True)
    TotalSpan.objects.select_for_update().get(span=length, first=first)


def _forget(length: Length, first: date) -> None:
    Total.objects.filter(dimension__in=[WHOLE, *dimensions()], span=length, first=first).delete()


def _done(length: Length, first: date, now: datetime) -> None:
    TotalSpan.objects.filter(span=length, first=first).update(reckoned_at=now, way=way())


def _as_kept(day: date) -> Any:
    return connection.ops.adapt_datefield_value(day)
