"""The whole shop beside a supplier that shows money in whole cents: what it takes stays exact, and the books add up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import Order, Status
from tests.clock import stopped_at
from tests.orders.conftest import place, send  # noqa: F401 - fixtures
from tests.sms.conftest import buy, project  # noqa: F401 - fixtures
from upstream.client import Client
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
ORDERS = 24  # half a cent of each is far beyond AUDIT_TOLERANCE


@pytest.fixture
def poll(client_upstream: Client) -> Callable[..., None]:
    """Ask about everything that is open, so much later."""

    def poll_all(**later: float) -> None:
        now = timezone.now() + timedelta(**later)
        Order.objects.filter(next_poll_at__isnull=False).update(next_poll_at=now)
        for kind in ("service", "number"):
            poll_due(kind=kind, client=client_upstream, clock=stopped_at(now))

    return poll_all


@pytest.mark.parametrize("quantity", [10, 13, 30, 1003])
def test_audit_when_charges_are_shown_in_cents_finds_the_books_right_to_the_end(
    sandbox: Sandbox,
    client_upstream: Client,
    send: Callable[..., Order],  # noqa: F811
    poll: Callable[..., None],
    quantity: int,
) -> None:
    sandbox.set(profiles=["cents"])
    orders = [send(quantity=quantity, link=f"https://example.com/{number}") for number in range(ORDERS)]
    assert audit(client=client_upstream, now=timezone.now()).problems == []

    for number, order in enumerate(orders):
        if number % 4 == 0:
            sandbox.set_order(order.upstream_id, status="Canceled")
        elif number % 4 == 1:
            sandbox.set_order(order.upstream_id, status="Partial", remains=quantity // 3)
        elif number % 4 == 2:
            sandbox.set_order(order.upstream_id, status="In progress")
        else:
            sandbox.set_order(order.upstream_id, status="Completed")
    poll(minutes=5)
    assert audit(client=client_upstream, now=timezone.now()).problems == []

    for order in orders[2::4]:
        sandbox.set_order(order.upstream_id, status="Completed")
    poll(hours=2)

    ends = [Status.CANCELED, Status.PARTIAL, Status.COMPLETED, Status.COMPLETED]
    assert [Order.objects.get(pk=order.pk).status for order in orders] == ends * (ORDERS // 4)
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert sandbox.books()["adds_up"] is True
    sandbox.set_balance("900.00")
    assert len(audit(client=client_upstream, now=timezone.now()).problems) == 1


def test_audit_when_numbers_are_charged_in_cents_finds_the_books_right(
    sandbox: Sandbox,
    client_upstream: Client,
    project: Any,  # noqa: F811
    buy: Callable[..., list[Order]],  # noqa: F811
    poll: Callable[..., None],
    settings: Any,
) -> None:
    settings.SMS_MAX_OPEN = settings.SMS_MAX_PER_DAY = 0
    sandbox.set_project(project.upstream_id, price="0.5049")
    type(project).objects.update(price_upstream_micros=504_900)
    sandbox.set(profiles=["cents"])
    orders = buy(quantity=10)
    for order in orders:
        assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
        order.refresh_from_db()
    for order in orders[:7]:
        sandbox.deliver_code(order.upstream_id, "123456", "Your code is 123456")
    for order in orders[7:]:
        sandbox.set_number(order.upstream_id, status="canceled")

    poll(seconds=10)
    poll(hours=3)

    done = Order.objects.filter(status=Status.COMPLETED)
    assert (done.count(), Order.objects.filter(status=Status.CANCELED).count()) == (7, 3)
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert sandbox.books()["adds_up"] is True
