"""The totals beside the books they were reckoned from."""

from collections.abc import Mapping
from datetime import date

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from orders.accounting.daily_totals.dimensions import WHOLE
from orders.accounting.report import Line, Span, sold_by_day
from orders.models import Length, Order, Status, Total, TotalSpan

OF_LEDGER = ("sales", "discounts", "refunds", "claim_refunds")  # they never change once a day is over
OF_UPSTREAM = ("cost", "replacements")
OF_ORDERS = ("orders", "completed", "partial", "failed", "refunded")
Differing = dict[str, tuple[int, int]]  # what is kept, and what the books say


def differing_days(span: Span) -> dict[date, Differing]:
    """Return the days of a span that have been reckoned and are not what the books say now; six statements."""
    reckoned = TotalSpan.objects.filter(span=Length.DAY, first__range=(span.first, span.last))
    days = set(reckoned.filter(reckoned_at__isnull=False).values_list("first", flat=True))
    kept = _kept(span)
    sold = sold_by_day(span)
    orders = _orders(span)
    found: dict[date, Differing] = {}
    for day in days:
        said = _said(sold.get(day) or Line(Span(day, day)), orders.get(day, {}))
        had = kept.get(day, {})
        differing = {name: (had.get(name, 0), is_now) for name, is_now in said.items() if had.get(name, 0) != is_now}
        if differing:
            found[day] = differing
    return found


def _kept(span: Span) -> Mapping[date, Mapping[str, int]]:
    totals = Total.objects.filter(dimension=WHOLE, span=Length.DAY, first__range=(span.first, span.last))
    return {
        total.first: {
            **{name: getattr(total, f"{name}_micros") for name in (*OF_LEDGER, *OF_UPSTREAM)},
            **{name: getattr(total, name) for name in OF_ORDERS},
        }
        for total in totals
    }


def _said(line: Line, orders: Mapping[str, int]) -> dict[str, int]:
    amounts = {name: getattr(line, name) for name in (*OF_LEDGER, *OF_UPSTREAM)}
    return amounts | {name: orders.get(name, 0) for name in OF_ORDERS}


def _orders(span: Span) -> Mapping[date, Mapping[str, int]]:
    """Return how many orders were sold on each day, and what has become of them."""
    day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
    sold = Order.objects.filter(original=None, created_at__gte=span.begins, created_at__lt=span.ends)
    rows = (
        sold.annotate(day=day)
        .order_by()
        .values("day")
        .annotate(
            orders=Count("pk"),
            completed=Count("pk", filter=Q(status=Status.COMPLETED)),
            partial=Count("pk", filter=Q(status=Status.PARTIAL)),
            failed=Count("pk", filter=Q(status__in=(Status.FAILED, Status.CANCELED))),
            refunded=Count("pk", filter=Q(refunded_micros__gt=0)),
        )
    )
    return {row["day"]: {name: row[name] for name in OF_ORDERS} for row in rows}  # type: ignore[literal-required]
