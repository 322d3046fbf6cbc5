"""What the orders of each service brought lately: what customers paid and kept paying, less what upstream took.

The same amounts as in the books, by service instead of by day: see orders/accounting/report/totals.py. What was booked
beside orders is no service's.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from catalog.models import ServiceMargin
from orders.accounting.measured_rows import keep_measured
from orders.models import Kind, Order
from upstream.money import MICROS

MEASURED = timedelta(days=30)
FIGURES = ("orders", "kept_micros", "cost_micros", "margin_micros")


def measure_margins(*, now: datetime) -> int:
    """Write down what the orders of the last days brought, by service; return of how many the figures differ.

    One look at these orders, whatever number of services they are of; only what differs is written.
    """
    found = {row.pk: row for row in _measured(now)}
    return keep_measured(ServiceMargin, found, FIGURES)


def _measured(now: datetime) -> list[ServiceMargin]:
    orders = Order.objects.filter(
        kind=Kind.SERVICE, service__isnull=False, created_at__gt=now - MEASURED, created_at__lte=now
    )
    # What was never sent cost nothing. Replacements of goods were paid for with the order that they replace.
    cost = Coalesce("charge_upstream_micros", "cost_upstream_micros")
    sums = (
        orders.order_by()
        .values("service_id", "exchange_rate_micros")
        .annotate(
            count=Count("pk", filter=Q(original=None)),
            kept=Sum(F("price_micros") - F("refunded_micros")),
            cost=Sum(cost, filter=Q(upstream_id__isnull=False)),
        )
    )
    count: dict[int, int] = defaultdict(int)
    kept: dict[int, int] = defaultdict(int)
    costs: dict[int, int] = defaultdict(int)
    for row in sums:
        count[row["service_id"]] += row["count"]
        kept[row["service_id"]] += row["kept"]
        costs[row["service_id"]] += -(-(row["cost"] or 0) * row["exchange_rate_micros"] // MICROS)
    return [
        ServiceMargin(
            service_id=pk,
            orders=count[pk],
            kept_micros=kept[pk],
            cost_micros=costs[pk],
            margin_micros=kept[pk] - costs[pk],
            measured_at=now,
        )
        for pk in kept
    ]
