"""A debit that its bank takes back after it had succeeded, among refunds and disputes of the same payment."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.samples import every, orders_of
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, balance, rows, start, status, stripe_paid, stripe_says, stripe_tells
from wallet.models import TopUp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status
Told = tuple[str, dict[str, Any]]


@pytest.fixture
def top_up(ann: User, stripe_server: FakeStripe) -> TopUp:
    """Ten dollars of Ann's, debited from her bank; she had a hundred."""
    return stripe_paid(ann, stripe_server)


def steps(server: FakeStripe, reference: str) -> dict[str, Callable[[], Told]]:
    """What happens at Stripe, each with the event that tells of it."""
    return {
        "refunded": lambda: ("refund.created", server.refund(reference, 1000, "pending")),
        "refund failed": lambda: ("refund.failed", server.refund_becomes("re_1", "failed")),
        "taken back": lambda: ("charge.failed", server.bank_takes_back(reference)),
        "disputed": lambda: ("charge.dispute.created", server.dispute(reference, 1000)),
        "won": lambda: ("charge.dispute.closed", server.dispute(reference, 1000, "won")),
    }


HISTORIES = [
    order
    for order in itertools.permutations(["refunded", "refund failed", "taken back", "disputed", "won"])
    if order.index("refunded") < order.index("refund failed") and order.index("disputed") < order.index("won")
]


@pytest.mark.parametrize("history", every(3, HISTORIES), ids="-".join)
def test_charge_when_taken_back_among_a_failed_refund_and_a_won_dispute_stays_gone(
    top_up: TopUp, stripe_server: FakeStripe, history: tuple[str, ...]
) -> None:
    happens = steps(stripe_server, top_up.reference)

    for number, what in enumerate(history):
        assert stripe_tells(stripe_server, *happens[what]()) == 200
        if "taken back" in history[: number + 1]:
            assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)

    assert (top_up.refunded_micros, top_up.disputed_micros, top_up.attention) == (10 * DOLLAR, 0, "")


@pytest.mark.parametrize("order", orders_of(4), ids=str)
def test_charge_when_everything_is_told_late_and_in_any_order_stays_gone(
    ann: User, stripe_server: FakeStripe, order: tuple[int, ...]
) -> None:
    """Even that it was paid may be told last; and each is told twice."""
    top_up = start(ann, "stripe")
    paid = ("checkout.session.completed", dict(stripe_server.pay(top_up.reference)))
    happens = steps(stripe_server, top_up.reference)
    told = [paid, *(happens[what]() for what in ("refunded", "taken back", "refund failed"))]

    for place in (*order, *order):
        assert stripe_tells(stripe_server, *told[place]) == 200

    assert (status(top_up), top_up.refunded_micros, balance(ann)) == (Status.REFUNDED, 10 * DOLLAR, 100 * DOLLAR)


def test_charge_when_taken_back_after_a_part_was_refunded_takes_the_whole_and_no_more(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 400))

    stripe_tells(stripe_server, "charge.failed", stripe_server.bank_takes_back(top_up.reference))

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (
        Status.REFUNDED,
        10 * DOLLAR,
        100 * DOLLAR,
    )
    assert rows(top_up.user)[1:] == [("reversal", -4 * DOLLAR), ("reversal", -6 * DOLLAR)]


def test_charge_when_the_list_does_not_tell_yet_is_taken_at_its_events_word(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    failed = stripe_server.bank_takes_back(top_up.reference)
    stripe_server.charge(top_up.reference)

    assert stripe_tells(stripe_server, "charge.failed", failed) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)


def test_charge_when_an_earlier_try_was_taken_back_and_another_one_paid_takes_nothing(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    changes = {"id": "ch_0", "status": "failed", "failure_balance_transaction": "txn_0"}

    assert stripe_tells(stripe_server, "charge.failed", stripe_server.charge(top_up.reference, **changes)) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_refund_when_it_failed_for_want_of_a_balance_is_no_charge_that_was_taken_back(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    """Refunds have a field of that name, too."""
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 1000))
    stripe_server.charges.clear()

    failed = stripe_server.refund_becomes("re_1", "failed", failure_balance_transaction="txn_9")
    assert stripe_tells(stripe_server, "refund.failed", failed) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


@pytest.mark.parametrize(
    "lists", [{"charges", "refunds"}, {"charges"}, {"refunds"}], ids=lambda lists: "+".join(sorted(lists))
)
def test_charge_when_a_restricted_key_may_not_list_is_taken_and_never_returned_by_a_guess(
    top_up: TopUp, stripe_server: FakeStripe, lists: set[str]
) -> None:
    stripe_server.forbidden = lists
    refund = stripe_server.refund(top_up.reference, 1000, "pending")

    assert stripe_tells(stripe_server, "charge.failed", stripe_server.bank_takes_back(top_up.reference)) == 200
    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)

    failed = stripe_server.event("refund.failed", stripe_server.refund_becomes(refund["id"], "failed"))
    assert (stripe_says(failed), balance(top_up.user)) == (503, 100 * DOLLAR)


@pytest.mark.parametrize("odd", [None, "10", -5, 0, [], 10**15], ids=repr)
def test_refund_when_its_amount_cannot_be_read_is_to_be_sent_again(
    top_up: TopUp, stripe_server: FakeStripe, odd: Any
) -> None:
    """As nothing it would be missing from the sum, and what is booked would be returned."""
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 300))
    second = stripe_server.refund(top_up.reference, 200)
    stripe_server.refunds["re_1"]["amount"] = odd

    assert stripe_tells(stripe_server, "refund.created", second) == 503

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 107 * DOLLAR)
