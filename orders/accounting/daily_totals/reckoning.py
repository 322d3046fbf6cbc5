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
        # Whoever adds up the month holds its row: it waits for that, and is added up again.
        TotalSpan.objects.filter(span=Length.MONTH, first=day.replace(day=1)).update(reckoned_at=None)
        _done(Length.DAY, day, now)


def reckon_month(first: date, *, now: datetime) -> None:
    """Add up a month's days as they are."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    with transaction.atomic():
        _hold(Length.MONTH, first)
        _forget(Length.MONTH, first)
        with connection.cursor() as cursor:
            cursor.execute(statement.totals_of_month(), [_as_kept(first), _as_kept(first), _as_kept(last)])
        _done(Length.MONTH, first, now)


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
