"""What the orders of each service brought lately, from orders with known amounts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from catalog.models import Service, ServiceMargin
from orders.accounting.service_margin import measure_margins
from orders.models import Order, Status
from tests.storefront.admin_rows import make_order, make_service

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def sold(user: User, service: Service, *, days_ago: float = 1, **fields: Any) -> Order:
    """An order that upstream has."""
    values = {
        "upstream_id": str(Order.objects.count() + 1),
        "status": Status.COMPLETED,
        "created_at": NOON - timedelta(days=days_ago),
    }
    values["finished_at"] = values["created_at"]
    return make_order(user, service=service, **{**values, **fields})


def figures(service: Service) -> tuple[int, int, int, int]:
    row = ServiceMargin.objects.get(service=service)
    return row.orders, row.kept_micros, row.cost_micros, row.margin_micros


def test_measure_margins_when_upstream_names_a_charge_then_that_is_the_cost(ann: User) -> None:
    service = make_service(1)
    sold(ann, service, price_micros=300_000, cost_upstream_micros=100_000)
    sold(ann, service, price_micros=300_000, cost_upstream_micros=100_000, charge_upstream_micros=450_000)

    assert measure_margins(now=NOON) == 1

    assert figures(service) == (2, 600_000, 550_000, 50_000)


def test_measure_margins_when_refunded_or_never_sent_then_only_what_was_kept_and_spent_counts(ann: User) -> None:
    losing, unsent = make_service(1), make_service(2)
    sold(ann, losing, price_micros=300_000, refunded_micros=300_000, cost_upstream_micros=100_000)
    sold(ann, unsent, price_micros=300_000, upstream_id=None, status=Status.PAID, finished_at=None)

    measure_margins(now=NOON)

    assert figures(losing) == (1, 0, 100_000, -100_000)
    assert figures(unsent) == (1, 300_000, 0, 300_000)


def test_measure_margins_when_upstreams_currency_is_another_then_costs_are_in_the_shops(ann: User) -> None:
    service = make_service(1)
    sold(ann, service, price_micros=300_000, cost_upstream_micros=100_000, exchange_rate_micros=2_000_000)

    measure_margins(now=NOON)

    assert figures(service) == (1, 300_000, 200_000, 100_000)


def test_measure_margins_when_charged_then_whole_orders_are_held_against_what_they_were_to_cost(ann: User) -> None:
    service, untold = make_service(1), make_service(2)
    sold(ann, service, cost_upstream_micros=100_000, charge_upstream_micros=150_000)
    sold(ann, service, cost_upstream_micros=100_000, charge_upstream_micros=90_000)
    sold(ann, service, cost_upstream_micros=100_000, charge_upstream_micros=10_000, status=Status.PARTIAL)
    sold(ann, service, cost_upstream_micros=100_000, charge_upstream_micros=0)
    sold(ann, untold, cost_upstream_micros=100_000)

    measure_margins(now=NOON)

    row = ServiceMargin.objects.get(service=service)
    assert (row.charged_orders, row.expected_upstream_micros, row.charged_upstream_micros) == (2, 200_000, 240_000)
    assert row.surplus_upstream_micros == 40_000
    assert ServiceMargin.objects.get(service=untold).charged_orders == 0


def test_measure_margins_when_orders_grow_old_then_their_service_has_no_figures(ann: User) -> None:
    service = make_service(1)
    sold(ann, service, days_ago=29)
    measure_margins(now=NOON)
    assert measure_margins(now=NOON + timedelta(minutes=1)) == 0  # the same figures are not written again

    assert measure_margins(now=NOON + timedelta(days=2)) == 1

    assert not ServiceMargin.objects.filter(service=service).exists()
