"""Questions that customers ask, about orders as the rules find them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Service, ServiceQuality
from orders.models import Order, Status
from support.models import Ticket
from tests.orders.conftest import (  # noqa: F401 - fixtures
    no_first_answers,
    paid_order,
    place,
    refillable,
    sent_order,
    shop,
    working,
)

HOUR = 3600


@pytest.fixture
def measured(service: Service) -> Service:
    """The service, of which nine in ten orders begin within half an hour and are done within four hours."""
    ServiceQuality.objects.create(
        service=service,
        orders=40,
        completed=38,
        partial=1,
        refunded=1,
        start_seconds=HOUR // 6,
        start_seconds_most=HOUR // 2,
        done_seconds=2 * HOUR,
        done_seconds_most=4 * HOUR,
    )
    return service


@pytest.fixture
def order_of(place: Callable[..., Order], measured: Service) -> Callable[..., Order]:  # noqa: F811
    """An order of Ann's that was paid some hours ago, upstream's 77 since then: `order_of(hours=…, **columns)`."""

    def make(*, hours: float = 1, service_has: dict[str, Any] | None = None, **columns: Any) -> Order:
        Service.objects.filter(pk=measured.pk).update(**(service_has or {}))
        order = place()
        paid_at = timezone.now() - timedelta(hours=hours)
        values = {"status": Status.IN_PROGRESS, "upstream_id": "77", "upstream_word": "In progress", **columns}
        Order.objects.filter(pk=order.pk).update(created_at=paid_at, sent_at=paid_at, **values)
        return Order.objects.select_related("service__quality").get(pk=order.pk)

    return make


@pytest.fixture
def ask(ann: User) -> Callable[..., Ticket]:
    """A ticket of Ann's that waits, as `ask(reason, order)`, just written and read by nobody."""

    def make(reason: str, order: Order | None = None, **columns: Any) -> Ticket:
        now = timezone.now()
        values = {"subject": "Order", "created_at": now, "changed_at": now, "waiting_since": now, **columns}
        return Ticket.objects.create(user=ann, order=order, reason=reason, **values)

    return make
