"""What the orders of each service brought lately: what customers paid and kept paying, less what upstream took.

The same amounts as in the books, by service instead of by day: see orders/accounting/report/totals.py. What was booked
beside orders is no service's.
"""

from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from catalog.models import ServiceMargin
from orders.accounting.measured_rows import keep_measured
from orders.fulfilment.margin import REDUCED
from orders.models import Kind, Order
from upstream.money import MICROS

MEASURED = timedelta(days=30)
FIGURES = (
    *("orders", "kept_micros", "cost_micros", "margin_micros"),
    *("charged_orders", "expected_upstream_micros", "charged_upstream_micros", "surplus_upstream_micros"),
)


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
    # A part of an order costs a part, which says nothing about what the whole was expected to cost.
    charged = Q(charge_upstream_micros__gt=0) & ~Q(status__in=REDUCED)
    sums = (
        orders.order_by()
        .values("service_id", "exchange_rate_micros")
        .annotate(
            count=Count("pk", filter=Q(original=None)),
            kept=Sum(F("price_micros") - F("refunded_micros")),
            cost=Sum(cost, filter=Q(upstream_id__isnull=False)),
            charged_orders=Count("pk", filter=charged),
            expected=Sum("cost_upstream_micros", filter=charged),
            charged=Sum("charge_upstream_micros", filter=charged),
        )
    )
    found: dict[int, ServiceMargin] = {}
    for row in sums:
        pk = row["service_id"]
        if pk not in found:
            found[pk] = ServiceMargin(service_id=pk, orders=0, kept_micros=0, cost_micros=0, measured_at=now)
        service = found[pk]
        service.orders += row["count"]
        service.kept_micros += row["kept"]
        service.cost_micros += -(-(row["cost"] or 0) * row["exchange_rate_micros"] // MICROS)
        service.charged_orders += row["charged_orders"]
        service.expected_upstream_micros += row["expected"] or 0
        service.charged_upstream_micros += row["charged"] or 0
    for service in found.values():
        service.margin_micros = service.kept_micros - service.cost_micros
        service.surplus_upstream_micros = service.charged_upstream_micros - service.expected_upstream_micros
    return list(found.values())
