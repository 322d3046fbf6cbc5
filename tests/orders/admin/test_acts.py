"""The buttons of an order that decide nothing: a note, and to ask the supplier now."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import Order, OrderEvent
from tests.pages import page_words

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def press(desk: Client, button: str, order: Order, **fields: Any) -> str:
    address = reverse(f"admin:orders_order_{button}", args=[order.pk])
    return page_words(desk.post(address, {**SUBMITTED, **fields}, follow=True))


def test_note_stands_in_the_timeline_for_staff_and_for_nobody_else(
    desk: Client, place: Callable[..., Order], ann: User, sam: User
) -> None:
    order = place()

    page = press(desk, "note", order, text="Called ann.\r\nShe waits <b>until</b> Monday.")

    assert "The note is in the order's timeline." in page
    assert "Note of the staff" in page
    event = OrderEvent.objects.get(order=order, code=OrderEvent.Code.NOTE)
    assert (event.actor, event.evidence) == (sam, {"note": "Called ann.\nShe waits <b>until</b> Monday."})
    desk.force_login(ann)
    hers = page_words(desk.get(reverse("orders:detail", args=[order.pk])))
    assert "Ordered and paid" in hers
    assert "Monday" not in hers
    assert "Note of the staff" not in hers


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_note_of_nothing_or_too_much_is_refused_where_it_was_typed(
    desk: Client, place: Callable[..., Order], text: str
) -> None:
    order = place()

    press(desk, "note", order, text=text)

    assert not OrderEvent.objects.filter(code=OrderEvent.Code.NOTE).exists()


def test_ask_now_has_the_order_asked_about_at_the_next_poll(
    desk: Client, place: Callable[..., Order], client_upstream: Any
) -> None:
    order = place()
    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
    later = timezone.now() + timedelta(hours=1)
    Order.objects.update(next_poll_at=later, polled_at=None)

    assert "Upstream is asked about the order within seconds." in press(desk, "ask", order)

    poll_due(kind=order.kind, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    assert order.polled_at is not None


def test_ask_now_of_an_order_that_has_ended_changes_nothing_and_says_so(
    desk: Client, place: Callable[..., Order]
) -> None:
    order = place()
    Order.objects.update(next_poll_at=None)

    page = press(desk, "ask", order)

    assert "status has already changed" in page
    order.refresh_from_db()
    assert order.next_poll_at is None


@pytest.mark.parametrize("button", ["ask", "note"])
def test_who_may_not_change_orders_presses_neither(
    client: Client, place: Callable[..., Order], ben: User, button: str
) -> None:
    order = place()
    client.force_login(ben)

    client.post(reverse(f"admin:orders_order_{button}", args=[order.pk]), {**SUBMITTED, "text": "x"})

    assert not OrderEvent.objects.filter(code=OrderEvent.Code.NOTE).exists()
