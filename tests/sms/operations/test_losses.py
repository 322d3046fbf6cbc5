"""Numbers that were refunded because their answer was lost: what staff decides about them, and what they cost."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.attention import clear_attention
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.reconciliation.confirm import NotConfirmed
from orders.reconciliation.resolve import book_loss, close_question
from tests.clock import stopped_at
from tests.orders.attention import attempt_of, flags_of
from wallet.models import Wallet

Code = OrderEvent.Code
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lose(buy, client_upstream, sandbox, sam):
    """Buy a number whose answer is lost, and let staff take it off the queue: `lose("lose_reply")`."""

    def lose_one(fault: str) -> Order:
        [order] = buy()
        sandbox.fail_next(fault, action="add_sms")
        forward_order(order.pk, client=client_upstream, clock=timezone.now)
        clear_attention(order.pk, actor=sam, now=timezone.now())
        order.refresh_from_db()
        assert attempt_of(order).state == LostAttempt.State.REFUNDED
        assert (order.status, flags_of(order), order.refunded_micros) == (Status.FAILED, [], order.price_micros)
        return order

    return lose_one


@pytest.fixture
def bought(lose, client_upstream, sandbox, sam) -> Order:
    """A refunded number that staff has found upstream and booked as the shop's loss."""
    order = lose("lose_reply")
    real = str(sandbox.orders[0]["id"])
    book_loss(
        order.pk, upstream_id=real, note="seen in their list", actor=sam, client=client_upstream, now=timezone.now()
    )
    order.refresh_from_db()
    return order


def poll(client: Any, **later: float) -> int:
    return poll_due(kind="number", client=client, clock=stopped_at(timezone.now() + timedelta(seconds=1, **later)))


def test_book_loss_of_a_number_keeps_who_said_so_why_and_what_it_cost(bought, sandbox, client_upstream, sam, ann):
    loss = bought.events.get(code=Code.LOSS)

    assert (bought.status, bought.upstream_id) == (Status.FAILED, str(sandbox.orders[0]["id"]))
    assert bought.charge_upstream_micros == 500_000
    assert (loss.actor, loss.evidence["note"], loss.evidence["charge"]) == (sam, "seen in their list", 500_000)
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_book_loss_of_a_number_that_upstream_does_not_know_is_refused(lose, client_upstream, sam):
    order = lose("lose_request")

    with pytest.raises(NotConfirmed, match="Order not found"):
        book_loss(order.pk, upstream_id="4711", note="a guess", actor=sam, client=client_upstream, now=timezone.now())

    assert not order.events.filter(code=Code.LOSS).exists()


def test_close_question_of_a_number_leaves_nothing_to_allow_for(lose, client_upstream, sandbox, sam):
    order = lose("lose_request")

    close_question(order.pk, note="not in their list", actor=sam, now=timezone.now())

    assert audit(client=client_upstream, now=timezone.now()).problems == []
    sandbox.set_balance("999.50")  # as if it had been charged
    [problem] = audit(client=client_upstream, now=timezone.now()).problems
    assert "999.50" in problem


@pytest.mark.parametrize(("word", "charge"), [("expired", "0.0000"), ("code_received", "0.6000")])
def test_a_booked_loss_is_asked_about_until_its_charge_is_final(
    bought, client_upstream, sandbox, settings, word, charge
):
    settings.AUDIT_TOLERANCE = Decimal(0)
    assert poll(client_upstream) == 1
    bought.refresh_from_db()
    assert bought.next_poll_at is not None  # it is still alive upstream
    sandbox.set_number(bought.upstream_id, status=word, charge=charge)

    assert poll(client_upstream, minutes=5) == 1

    bought.refresh_from_db()
    assert (bought.status, bought.next_poll_at, flags_of(bought)) == (Status.FAILED, None, [])
    assert bought.charge_upstream_micros == Decimal(charge) * 1_000_000
    assert bought.refunded_micros == bought.price_micros
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert poll(client_upstream, days=1) == 0


def test_a_booked_loss_whose_charge_cannot_be_read_is_asked_about_again(bought, client_upstream, sandbox):
    sandbox.set_number(bought.upstream_id, status="expired", charge="0.0000")
    sandbox.fail_next("500_before", action="sms_status", times=3)
    assert poll(client_upstream, days=3) == 0

    assert poll(client_upstream, days=3, minutes=1) == 1

    bought.refresh_from_db()
    assert (bought.charge_upstream_micros, bought.next_poll_at) == (0, None)


def test_a_booked_loss_that_upstream_forgets_is_not_asked_about_any_more(bought, client_upstream, sandbox):
    sandbox.fail_rate("refuse", 1.0, action="sms_status", text="Order not found")

    assert poll(client_upstream) == 1

    bought.refresh_from_db()
    assert (bought.next_poll_at, bought.charge_upstream_micros) == (None, 500_000)


def test_a_booked_loss_that_never_ends_upstream_is_asked_about_for_a_week(bought, client_upstream):
    for days, goes_on in [(1, True), (8, False)]:
        assert poll(client_upstream, days=days) == 1
        bought.refresh_from_db()
        assert (bought.next_poll_at is not None) == goes_on


def test_number_page_when_staff_has_reviewed_it_still_offers_to_settle_the_books(lose, sam, client: Client):
    order = lose("lose_reply")
    client.force_login(sam)

    page = client.get(reverse("admin:orders_order_change", args=[order.pk]))

    assert [button["path"].rsplit("/", 2)[-2] for button in page.context["actions_detail"]] == [
        "bought",
        "not-bought",
        "note",
    ]
