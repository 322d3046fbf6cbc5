"""What staff decides about orders whose books are open: refunded, or sent again, without an answer."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_by_refund
from tests.orders.admin.test_orders import (
    SUBMITTED,
    buttons,
    desk,
    lost,
    press,
)
from tests.orders.attention import flags_of, make_lost
from tests.pages import markup
from tests.storefront.admin_rows import make_order

__all__ = ["desk", "lost"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.fixture
def refunded(lost: Order, sam: User) -> Order:
    """The lost order, refunded by staff: whether upstream has it stays an open question in the books."""
    resolve_by_refund(lost.pk, actor=sam, now=timezone.now())
    return lost


def test_bought_when_upstream_has_what_was_refunded_then_the_loss_is_booked_with_note_and_name(
    desk: Client, refunded: Order, service: Service, client_upstream: Any, sam: User
) -> None:
    real = client_upstream.add(service_id=service.upstream_id, link=refunded.link, quantity=1000).order_id
    assert buttons(desk, refunded) == ["bought", "not-bought", "note"]

    assert press(desk, "bought", refunded, upstream_id=real, note="support says so") == [
        f"Upstream order {real} has been booked as the shop's loss."
    ]

    event = OrderEvent.objects.get(order=refunded, code=OrderEvent.Code.LOSS)
    assert (event.actor, event.evidence["note"], event.evidence["upstream_id"]) == (sam, "support says so", real)
    assert (refunded.status, refunded.upstream_id) == (Status.FAILED, real)
    assert buttons(desk, refunded) == ["ask", "note"]  # it is followed for the books


def test_not_bought_when_staff_is_sure_then_the_question_is_closed_with_note_and_name(
    desk: Client, refunded: Order, sam: User
) -> None:
    assert press(desk, "not_bought", refunded, note="not in their list") == [
        "The question is closed: upstream doesn't have the order."
    ]

    event = OrderEvent.objects.filter(order=refunded).last()
    assert event is not None
    assert (event.actor, event.evidence["not_bought"]) == (sam, "not in their list")
    assert buttons(desk, refunded) == ["note"]


@pytest.mark.parametrize("button", ["bought", "not_bought"])
def test_questions_of_the_books_when_no_note_is_given_then_the_form_asks_for_it(
    desk: Client, refunded: Order, button: str
) -> None:
    answer = desk.post(reverse(f"admin:orders_order_{button}", args=[refunded.pk]), {**SUBMITTED, "upstream_id": "1"})

    assert list(answer.context["form"].errors) == ["note"]
    assert buttons(desk, refunded) == ["bought", "not-bought", "note"]


def test_order_page_when_staff_called_it_not_placed_then_it_says_what_is_still_looked_for(
    desk: Client, lost: Order
) -> None:
    LostAttempt.objects.filter(order=lost).update(id_before="23500")
    press(desk, "as_not_placed", lost)

    page = markup(desk.get(reverse("admin:orders_order_change", args=[lost.pk])))

    assert "as not placed, and the order was sent again. We are still looking for it." in page
    assert "23501 – still open" in page
    assert buttons(desk, lost) == ["bought", "not-bought", "hold", "note"]


def test_orders_when_filtered_by_open_questions_then_those_off_the_list_of_attention_are_found_too(
    desk: Client, refunded: Order, sam: User, ben: User, service: Service
) -> None:
    again = make_order(ben, service=service)
    make_lost(again)
    make_order(ben, service=service, status=Status.FAILED)
    resolve_as_not_placed(again.pk, actor=sam, now=timezone.now())
    refunded.refresh_from_db()
    assert flags_of(refunded) == []

    page = desk.get(reverse("admin:orders_order_changelist"), {"books": "open"})

    assert list(page.context["cl"].result_list) == [again, refunded]
