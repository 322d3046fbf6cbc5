"""What Stripe says after a payment: refunds that fail, several disputes, warnings; and that each may be undone."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, balance, outcomes, rows, start, status, stripe_paid, stripe_says, stripe_tells
from wallet.models import Receivable, TopUp
from wallet.operations import adjust, close_review
from wallet.operations.reversals import owed_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status


@pytest.fixture
def top_up(ann: User, stripe_server: FakeStripe) -> TopUp:
    """Ten dollars of Ann's, paid by card; she had a hundred."""
    return stripe_paid(ann, stripe_server)


# --- Refunds ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("word", ["pending", "requires_action", "succeeded"])
def test_refund_when_created_is_taken_before_it_arrives(top_up: TopUp, stripe_server: FakeStripe, word: str) -> None:
    assert stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 400, word)) == 200

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (Status.PAID, 4 * DOLLAR, 106 * DOLLAR)


@pytest.mark.parametrize("word", ["failed", "canceled"])
@pytest.mark.parametrize("kind", ["refund.failed", "refund.updated", "charge.refund.updated"])
def test_refund_when_it_fails_after_it_was_booked_comes_back(
    top_up: TopUp, stripe_server: FakeStripe, kind: str, word: str
) -> None:
    stripe_tells(stripe_server, "charge.refunded", stripe_server.charge(top_up.reference, 1000))
    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)

    failed = stripe_server.refund_becomes(
        "re_1", word, failure_reason="expired_or_canceled_card", failure_balance_transaction="txn_9"
    )
    assert stripe_tells(stripe_server, kind, failed) == 200

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (Status.PAID, 0, 110 * DOLLAR)
    assert rows(top_up.user)[-2:] == [("reversal", -10 * DOLLAR), ("reversal", 10 * DOLLAR)]


def test_refund_when_one_of_two_fails_leaves_the_other(top_up: TopUp, stripe_server: FakeStripe) -> None:
    for amount in (300, 700):
        stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, amount))
    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)

    stripe_tells(stripe_server, "refund.failed", stripe_server.refund_becomes("re_2", "failed"))

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (Status.PAID, 3 * DOLLAR, 107 * DOLLAR)


def test_refund_when_told_in_any_order_ends_at_what_stripe_says_now(top_up: TopUp, stripe_server: FakeStripe) -> None:
    """Every order of the four webhooks of a refund that failed, one after the other on the same payment."""
    refund = stripe_server.refund(top_up.reference, 1000)
    stripe_server.refund_becomes("re_1", "failed")
    told = [
        ("refund.created", refund),
        ("charge.refunded", {**stripe_server.charge(top_up.reference, 0), "amount_refunded": 1000, "refunded": True}),
        ("refund.updated", {**refund, "status": "failed"}),
        ("refund.failed", {**refund, "status": "failed"}),
    ]

    for order in itertools.permutations(told):
        for kind, about in order:
            assert stripe_tells(stripe_server, kind, about) == 200
        assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)
    assert rows(top_up.user) == [("top_up", 10 * DOLLAR)]


def test_refund_when_the_same_event_comes_twice_counts_once(top_up: TopUp, stripe_server: FakeStripe) -> None:
    body = stripe_server.event("refund.created", stripe_server.refund(top_up.reference, 250))

    assert [stripe_says(body), stripe_says(body)] == [200, 200]

    assert (balance(top_up.user), outcomes()[-2:]) == (107_500_000, ["applied", "repeated"])


def test_refund_when_there_are_more_than_a_page_of_them_adds_all_up(top_up: TopUp, stripe_server: FakeStripe) -> None:
    for _time in range(105):
        refund = stripe_server.refund(top_up.reference, 5)

    stripe_tells(stripe_server, "refund.created", refund)

    assert (status(top_up), top_up.refunded_micros) == (Status.PAID, 5_250_000)


def test_refund_when_it_failed_after_the_money_was_spent_pays_what_was_owed(
    top_up: TopUp, stripe_server: FakeStripe, sam: User
) -> None:
    adjust(user=top_up.user, amount_micros=-105 * DOLLAR, note="spent", actor=sam, reference="spent")
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 1000))
    assert (balance(top_up.user), owed_by(top_up.user)) == (0, 5 * DOLLAR)

    stripe_tells(stripe_server, "refund.failed", stripe_server.refund_becomes("re_1", "failed"))

    assert (balance(top_up.user), owed_by(top_up.user)) == (5 * DOLLAR, 0)
    assert Receivable.objects.get().settled_at is not None


def test_refund_when_stripe_cannot_be_asked_is_to_be_sent_again(top_up: TopUp, stripe_server: FakeStripe) -> None:
    body = stripe_server.event("refund.created", stripe_server.refund(top_up.reference, 1000))
    stripe_server.broken = True
    assert (stripe_says(body), balance(top_up.user)) == (503, 110 * DOLLAR)

    stripe_server.broken = False
    assert (stripe_says(body), balance(top_up.user)) == (200, 100 * DOLLAR)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_refund_when_it_fails_while_its_beginning_is_being_read_ends_failed(
    top_up: TopUp, stripe_server: FakeStripe, in_another_thread: Callable[[Callable[[], Any]], Any]
) -> None:
    """The answer about the first webhook is on its way when the second is taken: the older answer does not win."""
    begun = stripe_server.event("refund.created", stripe_server.refund(top_up.reference, 1000))

    def fails_meanwhile() -> None:
        failed = stripe_server.event("refund.failed", stripe_server.refund_becomes("re_1", "failed"))
        assert in_another_thread(lambda: stripe_says(failed)) == 200

    stripe_server.after_answer = fails_meanwhile

    assert stripe_says(begun) == 200

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (Status.PAID, 0, 110 * DOLLAR)


# --- Disputes ---------------------------------------------------------------------------------------------------------
def test_dispute_when_funds_are_reinstated_returns_them(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_tells(stripe_server, "charge.dispute.funds_withdrawn", stripe_server.dispute(top_up.reference, 1000))
    assert (status(top_up), balance(top_up.user)) == (Status.DISPUTED, 100 * DOLLAR)

    won = stripe_server.dispute(top_up.reference, 1000, "won")
    for kind in ("charge.dispute.funds_reinstated", "charge.dispute.closed", "charge.dispute.updated"):
        assert stripe_tells(stripe_server, kind, won) == 200

    assert (status(top_up), top_up.attention, balance(top_up.user)) == (Status.PAID, "", 110 * DOLLAR)
    assert len(rows(top_up.user)) == 3


@pytest.mark.parametrize("word", ["lost", "appeal_needs_response", "appeal_under_review", "under_review"])
def test_dispute_when_it_holds_the_money_takes_it(top_up: TopUp, stripe_server: FakeStripe, word: str) -> None:
    stripe_tells(stripe_server, "charge.dispute.updated", stripe_server.dispute(top_up.reference, 1000, word))

    assert (status(top_up), balance(top_up.user)) == (Status.DISPUTED, 100 * DOLLAR)


@pytest.mark.parametrize("word", ["prevented", "warning_needs_response", "warning_under_review", "warning_closed"])
def test_dispute_when_it_holds_nothing_takes_nothing(top_up: TopUp, stripe_server: FakeStripe, word: str) -> None:
    stripe_tells(stripe_server, "charge.dispute.updated", stripe_server.dispute(top_up.reference, 1000, word))

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_dispute_when_a_second_one_is_won_leaves_the_lost_one(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_tells(stripe_server, "charge.dispute.closed", stripe_server.dispute(top_up.reference, 300, "lost"))
    stripe_tells(stripe_server, "charge.dispute.created", stripe_server.dispute(top_up.reference, 400, number=2))
    assert (status(top_up), top_up.disputed_micros, balance(top_up.user)) == (Status.DISPUTED, 7 * DOLLAR, 103 * DOLLAR)

    stripe_tells(stripe_server, "charge.dispute.closed", stripe_server.dispute(top_up.reference, 400, "won", number=2))

    assert (status(top_up), top_up.disputed_micros, balance(top_up.user)) == (Status.DISPUTED, 3 * DOLLAR, 107 * DOLLAR)


def test_dispute_when_part_was_refunded_before_takes_no_more_than_was_paid(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 250))

    stripe_tells(stripe_server, "charge.dispute.created", stripe_server.dispute(top_up.reference, 1000))
    assert balance(top_up.user) == 100 * DOLLAR
    stripe_tells(stripe_server, "charge.dispute.closed", stripe_server.dispute(top_up.reference, 1000, "won"))

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 107_500_000)


def test_dispute_when_two_are_in_different_currencies_is_for_a_human(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_server.dispute(top_up.reference, 300)
    second = stripe_server.dispute(top_up.reference, 300, number=2)
    stripe_server.disputes["du_2"]["currency"] = "eur"

    stripe_tells(stripe_server, "charge.dispute.created", second)

    assert (status(top_up), balance(top_up.user)) == (Status.REVIEW, 110 * DOLLAR)


# --- Payments that fail late, and warnings ----------------------------------------------------------------------------
def test_charge_when_the_bank_takes_a_payment_back_reverses_it(top_up: TopUp, stripe_server: FakeStripe) -> None:
    failed = stripe_server.charge(top_up.reference, status="failed", failure_balance_transaction="txn_9")

    assert stripe_tells(stripe_server, "charge.failed", failed) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)


def test_charge_when_a_card_was_refused_before_another_one_paid_changes_nothing(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    for kind in ("charge.failed", "payment_intent.payment_failed"):
        assert stripe_tells(stripe_server, kind, stripe_server.charge(top_up.reference, status="failed")) == 200

    assert (status(top_up), top_up.attention, balance(top_up.user)) == (Status.PAID, "", 110 * DOLLAR)


@pytest.mark.parametrize("kind", ["radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"])
def test_fraud_warning_when_actionable_moves_nothing_and_calls_a_human(
    top_up: TopUp, stripe_server: FakeStripe, kind: str
) -> None:
    assert stripe_tells(stripe_server, kind, stripe_server.fraud_warning(top_up.reference)) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)
    assert top_up.attention.startswith("The customer's bank reports this payment as fraud.")
    assert "fraud" in top_up.note


def test_fraud_warning_when_told_before_the_payment_is_still_for_a_human(ann: User, stripe_server: FakeStripe) -> None:
    top_up = start(ann, "stripe")
    paid = stripe_server.pay(top_up.reference)
    stripe_tells(stripe_server, "radar.early_fraud_warning.created", stripe_server.fraud_warning(top_up.reference))

    stripe_tells(stripe_server, "checkout.session.completed", paid)

    assert (status(top_up), bool(top_up.attention), balance(ann)) == (Status.PAID, True, 110 * DOLLAR)


def test_fraud_warning_when_refunded_or_closed_is_done_with(
    top_up: TopUp, stripe_server: FakeStripe, sam: User
) -> None:
    stripe_tells(stripe_server, "radar.early_fraud_warning.created", stripe_server.fraud_warning(top_up.reference))
    top_up.refresh_from_db()
    close_review(top_up=top_up, actor=sam)
    assert (status(top_up), top_up.attention) == (Status.PAID, "")

    stripe_tells(
        stripe_server,
        "radar.early_fraud_warning.updated",
        stripe_server.fraud_warning(top_up.reference, actionable=False),
    )

    assert (status(top_up), top_up.attention) == (Status.PAID, "")


@pytest.mark.parametrize(
    "kind",
    [
        "payment_intent.succeeded",
        "payment_intent.processing",
        "payment_intent.canceled",
        "charge.succeeded",
        "charge.updated",
        "charge.expired",
        "review.opened",
        "review.closed",
        "payout.failed",
    ],
)
def test_event_when_its_money_is_told_elsewhere_changes_nothing(
    top_up: TopUp, stripe_server: FakeStripe, kind: str
) -> None:
    assert stripe_tells(stripe_server, kind, stripe_server.charge(top_up.reference)) == 200

    assert (status(top_up), top_up.attention, balance(top_up.user)) == (Status.PAID, "", 110 * DOLLAR)
