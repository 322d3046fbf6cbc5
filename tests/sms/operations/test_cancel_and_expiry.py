"""How a number ends: its code, its time, the buyer's patience; and who pays."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment.poll import poll_due
from orders.models import Order, OrderEvent, Status
from orders.placing.refusals import OrderRefused
from sms.models import Number, ReplacementRule
from sms.operations import ReplacementRequest, cancel_number, set_replacement_rule
from tests.clock import stopped_at
from wallet.models import Wallet

pytestmark = pytest.mark.django_db(transaction=True)
State = Number.State
PRICE = 625_000
PAID, BACK = 100_000_000 - PRICE, 100_000_000


@pytest.fixture
def poll(client_upstream: Any) -> Any:
    def poll_all(*, seconds: float = 5, **later: float) -> int:
        return poll_due(
            kind="number",
            client=client_upstream,
            clock=stopped_at(timezone.now() + timedelta(seconds=seconds, **later)),
        )

    return poll_all


def standing(order: Order, user: Any) -> tuple[str, str, int]:
    """The order's status, its number's state, and what the customer has."""
    order.refresh_from_db()
    balance: int = Wallet.objects.get(user=user).balance_micros
    return order.status, Number.objects.get(order=order).state, balance


# --- Canceled -------------------------------------------------------------------------------------------------------


def test_cancel_number_that_was_not_charged_is_refunded_with_the_next_answer(waiting_number, poll, sandbox, ann):
    sandbox.set_number(waiting_number.upstream_id, charge="0.0000")
    cancel_number(waiting_number.pk, user=ann)

    poll()

    assert standing(waiting_number, ann) == (Status.CANCELED, State.CANCELED, BACK)
    assert waiting_number.events.get(code=OrderEvent.Code.REFUNDED).data["why"] == "canceled_by_customer"


def test_cancel_number_that_was_charged_is_watched_and_refunded_when_that_is_given_back(
    waiting_number, poll, sandbox, ann
):
    cancel_number(waiting_number.pk, user=ann)
    poll()
    assert standing(waiting_number, ann) == (Status.PENDING, State.WAITING, PAID)

    sandbox.set_number(waiting_number.upstream_id, status="expired", charge="0.0000")
    poll(minutes=5)

    assert standing(waiting_number, ann) == (Status.CANCELED, State.EXPIRED, BACK)


def test_cancel_number_that_stays_charged_at_its_end_is_not_refunded(waiting_number, poll, sandbox, ann):
    cancel_number(waiting_number.pk, user=ann)
    sandbox.set_number(waiting_number.upstream_id, status="expired", charge="0.5000")

    poll()

    assert standing(waiting_number, ann) == (Status.COMPLETED, State.EXPIRED, PAID)
    assert waiting_number.next_poll_at is None


def test_cancel_number_past_its_time_waits_for_upstream_to_give_the_charge_back(waiting_number, poll, sandbox, ann):
    poll()
    cancel_number(waiting_number.pk, user=ann)
    number = Number.objects.get()
    over = (number.expires_at - timezone.now()).total_seconds() + 61
    poll(seconds=over)
    assert standing(waiting_number, ann) == (Status.PENDING, State.WAITING, PAID)

    sandbox.set_number(waiting_number.upstream_id, status="expired", charge="0")
    poll(seconds=over + 300)

    assert standing(waiting_number, ann) == (Status.CANCELED, State.EXPIRED, BACK)


def test_cancel_number_whose_code_comes_after_all_is_shown_and_paid(waiting_number, poll, sandbox, ann):
    cancel_number(waiting_number.pk, user=ann)
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")

    poll()

    assert standing(waiting_number, ann) == (Status.COMPLETED, State.RECEIVED, PAID)
    assert Number.objects.get().code == "482913"


def test_cancel_number_that_is_charged_after_its_refund_is_the_shops_loss(
    waiting_number, poll, sandbox, ann, client_upstream
):
    sandbox.set_number(waiting_number.upstream_id, charge="0.0000")
    cancel_number(waiting_number.pk, user=ann)
    poll()
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")
    sandbox.set_number(waiting_number.upstream_id, charge="0.5000")

    poll(minutes=10)

    assert standing(waiting_number, ann) == (Status.CANCELED, State.CANCELED, BACK)
    assert (Number.objects.get().code, waiting_number.next_poll_at) == ("", None)
    assert waiting_number.events.get(code=OrderEvent.Code.LOSS).evidence["charge"] == 500_000
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_cancel_number_twice_or_of_somebody_else_or_when_it_is_over(waiting_number, poll, sandbox, ann, ben):
    first = cancel_number(waiting_number.pk, user=ann).cancel_requested_at
    assert cancel_number(waiting_number.pk, user=ann).cancel_requested_at == first
    with pytest.raises(Number.DoesNotExist):
        cancel_number(waiting_number.pk, user=ben)
    sandbox.deliver_code(waiting_number.upstream_id, "1", "1")
    poll()

    with pytest.raises(OrderRefused, match="no longer waiting"):
        cancel_number(waiting_number.pk, user=ann)


def test_cancel_number_ends_its_automatic_replacement(waiting_number, ann):
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE))

    cancel_number(waiting_number.pk, user=ann)

    assert ReplacementRule.objects.get().next_at is None


# --- Its time is over -----------------------------------------------------------------------------------------------


def test_a_code_within_the_grace_time_reaches_its_buyer(waiting_number, poll, sandbox, ann):
    poll()
    over = (Number.objects.get().expires_at - timezone.now()).total_seconds()
    poll(seconds=over + 1)
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "late")

    poll(seconds=over + 50)

    assert standing(waiting_number, ann) == (Status.COMPLETED, State.RECEIVED, PAID)


def test_a_number_is_asked_about_when_its_grace_ends_and_not_a_long_interval_later(waiting_number, poll, settings):
    poll()
    settings.SMS_POLL_SECONDS = settings.SMS_POLL_MAX_SECONDS = 3600
    number = Number.objects.get()

    poll(seconds=10)

    waiting_number.refresh_from_db()
    grace = timedelta(seconds=settings.SMS_GRACE_SECONDS)
    assert waiting_number.next_poll_at == number.expires_at + grace


def test_a_number_that_upstream_charges_after_our_refund_is_the_shops_loss(
    waiting_number, poll, sandbox, ann, client_upstream
):
    poll()
    poll(days=1)
    assert standing(waiting_number, ann) == (Status.CANCELED, State.EXPIRED, BACK)
    sandbox.deliver_code(waiting_number.upstream_id, "1", "1")

    poll(days=1, hours=2)

    waiting_number.refresh_from_db()
    assert (waiting_number.next_poll_at, Number.objects.get().code) == (None, "")
    assert waiting_number.events.filter(code=OrderEvent.Code.LOSS).count() == 1
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_a_number_that_upstream_leaves_open_after_our_refund_is_asked_about_ever_more_seldom(waiting_number, poll):
    poll()
    poll(days=1)
    waiting_number.refresh_from_db()
    assert waiting_number.status == Status.CANCELED
    pauses = []

    for _each in range(10):
        asked = waiting_number.next_poll_at
        poll(seconds=(asked - timezone.now()).total_seconds())
        waiting_number.refresh_from_db()
        pauses.append((waiting_number.next_poll_at - asked).total_seconds())

    assert pauses[:2] == pytest.approx([15, 30], abs=5)
    assert all(1.9 < later / earlier < 2.6 for earlier, later in pairwise(pauses))


# --- Several at once ------------------------------------------------------------------------------------------------


def test_of_several_numbers_those_that_do_not_come_are_refunded(buy, client_upstream, sandbox, project, ann):
    from orders.fulfilment.forward import forward_order

    orders = buy(quantity=4)
    sandbox.set_project(project.upstream_id, available=2)

    for order in orders:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)

    statuses = [Order.objects.get(pk=order.pk).status for order in orders]
    assert statuses == [Status.PENDING, Status.PENDING, Status.FAILED, Status.FAILED]
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - 2 * PRICE
    assert len(sandbox.orders) == 2
