"""Lists of Stripe's that lag behind its events: what was told is not undone by an older one, nor counted twice."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, balance, outcomes, rows, start, status, stripe_paid, stripe_says, stripe_tells
from wallet.models import TopUp
from wallet.operations import check_top_ups

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status
GONE, THERE = (Status.REFUNDED, 100 * DOLLAR), (Status.PAID, 110 * DOLLAR)


@pytest.fixture
def top_up(ann: User, stripe_server: FakeStripe) -> TopUp:
    """Ten dollars of Ann's, paid through Stripe; she had a hundred."""
    return stripe_paid(ann, stripe_server)


def stands(top_up: TopUp) -> tuple[str, int]:
    return status(top_up), balance(top_up.user)


# --- A debit that its bank took back ----------------------------------------------------------------------------------
def test_refund_when_it_fails_while_the_list_lacks_that_the_bank_took_the_payment_back_returns_nothing(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 1000, "pending"))
    stripe_server.lag()
    stripe_tells(stripe_server, "charge.failed", stripe_server.bank_takes_back(top_up.reference))
    assert stands(top_up) == GONE

    assert stripe_tells(stripe_server, "refund.failed", stripe_server.refund_becomes("re_1", "failed")) == 200
    assert stands(top_up) == GONE

    stripe_server.catch_up()
    assert stripe_tells(stripe_server, "refund.updated", dict(stripe_server.refunds["re_1"])) == 200
    assert stands(top_up) == GONE
    assert rows(top_up.user) == [("top_up", 10 * DOLLAR), ("reversal", -10 * DOLLAR)]


def test_refund_when_it_fails_and_a_part_was_refunded_before_leaves_the_whole_gone(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 400))
    stripe_server.lag()
    stripe_tells(stripe_server, "charge.failed", stripe_server.bank_takes_back(top_up.reference))
    failed = stripe_server.refund_becomes("re_1", "failed")

    for kind in ("refund.failed", "refund.updated", "charge.refund.updated"):
        assert stripe_tells(stripe_server, kind, failed) == 200
        assert stands(top_up) == GONE

    assert len(rows(top_up.user)) == 3


def test_charge_when_taken_back_is_told_last_of_all_ends_the_same(top_up: TopUp, stripe_server: FakeStripe) -> None:
    """The failed refund is returned first, as it would be without the bank; the bank's word takes it again."""
    refund = stripe_server.refund(top_up.reference, 1000, "pending")
    stripe_tells(stripe_server, "refund.created", refund)
    stripe_server.lag()
    failed = stripe_server.refund_becomes("re_1", "failed")
    taken = stripe_server.bank_takes_back(top_up.reference)

    stripe_tells(stripe_server, "refund.failed", failed)
    assert stands(top_up) == THERE
    stripe_tells(stripe_server, "charge.failed", taken)
    assert stands(top_up) == GONE
    stripe_tells(stripe_server, "refund.updated", refund)  # an old one, once more

    assert stands(top_up) == GONE


def test_charge_when_an_earlier_try_was_taken_back_and_the_list_shows_that_another_paid_takes_nothing(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    """What was told of one charge does not hide another one that is listed."""
    stripe_server.lag()
    changes = {"id": "ch_0", "status": "failed", "failure_balance_transaction": "txn_0"}
    stripe_tells(stripe_server, "charge.failed", stripe_server.charge(top_up.reference, **changes))
    assert stands(top_up) == THERE

    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 400))

    assert stands(top_up) == (Status.PAID, 106 * DOLLAR)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_charge_when_taken_back_while_a_failed_refund_is_being_read_stays_gone(
    top_up: TopUp, stripe_server: FakeStripe, in_another_thread: Callable[[Callable[[], Any]], Any]
) -> None:
    """What was told before is read again when something else has been taken meanwhile."""
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 1000, "pending"))
    stripe_server.lag()
    failed = stripe_server.event("refund.failed", stripe_server.refund_becomes("re_1", "failed"))

    def taken_meanwhile() -> None:
        taken = stripe_server.event("charge.failed", stripe_server.bank_takes_back(top_up.reference))
        assert in_another_thread(lambda: stripe_says(taken)) == 200

    stripe_server.after_answer = taken_meanwhile

    assert stripe_says(failed) == 200
    assert stands(top_up) == GONE


# --- Refunds ----------------------------------------------------------------------------------------------------------
def test_refund_when_the_list_lacks_it_is_taken_at_its_events_word_and_once(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_server.lag()
    for amount in (300, 400):
        stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, amount, "pending"))
    assert stands(top_up) == (Status.PAID, 103 * DOLLAR)

    stripe_server.catch_up()
    stripe_tells(stripe_server, "refund.updated", stripe_server.refund_becomes("re_2", "succeeded"))

    assert stands(top_up) == (Status.PAID, 103 * DOLLAR)
    assert len(rows(top_up.user)) == 3


@pytest.mark.parametrize("word", ["failed", "canceled"])
def test_refund_when_it_fails_and_the_list_does_not_tell_yet_is_returned_for_good(
    top_up: TopUp, stripe_server: FakeStripe, word: str
) -> None:
    refund = stripe_server.refund(top_up.reference, 1000)
    stripe_tells(stripe_server, "refund.created", refund)
    stripe_server.lag()
    stripe_tells(stripe_server, "refund.failed", stripe_server.refund_becomes("re_1", word))
    assert stands(top_up) == THERE

    stripe_tells(stripe_server, "refund.updated", refund)  # told late
    assert stands(top_up) == THERE
    stripe_server.catch_up()
    stripe_tells(stripe_server, "refund.updated", dict(stripe_server.refunds["re_1"]))

    assert stands(top_up) == THERE
    assert len(rows(top_up.user)) == 3


def test_charge_when_refunded_and_no_refund_is_listed_yet_is_taken_and_not_twice_once_it_is(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_server.lag()
    stripe_tells(stripe_server, "charge.refunded", dict(stripe_server.charge(top_up.reference, 400)))
    assert stands(top_up) == (Status.PAID, 106 * DOLLAR)
    stripe_tells(stripe_server, "charge.refunded", dict(stripe_server.charge(top_up.reference, 1000)))
    assert stands(top_up) == GONE

    stripe_tells(stripe_server, "refund.created", dict(stripe_server.refunds["re_1"]))
    assert stands(top_up) == GONE
    stripe_server.catch_up()
    stripe_tells(stripe_server, "refund.created", dict(stripe_server.refunds["re_2"]))
    assert stands(top_up) == GONE
    stripe_tells(stripe_server, "refund.failed", stripe_server.refund_becomes("re_2", "failed"))

    assert stands(top_up) == (Status.PAID, 106 * DOLLAR)


# --- Disputes and warnings --------------------------------------------------------------------------------------------
def test_dispute_when_the_list_lacks_it_is_taken_and_returned_at_its_events_word(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_server.lag()
    stripe_tells(stripe_server, "charge.dispute.created", stripe_server.dispute(top_up.reference, 1000))
    assert stands(top_up) == (Status.DISPUTED, 100 * DOLLAR)
    stripe_server.lag()  # now it is listed, as open

    stripe_tells(stripe_server, "charge.dispute.closed", stripe_server.dispute(top_up.reference, 1000, "won"))
    assert stands(top_up) == THERE
    stripe_server.catch_up()
    reinstated = dict(stripe_server.disputes["du_1"])
    stripe_tells(stripe_server, "charge.dispute.funds_reinstated", reinstated)

    assert stands(top_up) == THERE
    assert len(rows(top_up.user)) == 3


def test_dispute_when_another_one_is_told_of_while_the_list_lags_keeps_both(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_server.lag()
    stripe_tells(stripe_server, "charge.dispute.created", stripe_server.dispute(top_up.reference, 300))
    stripe_tells(stripe_server, "charge.dispute.created", stripe_server.dispute(top_up.reference, 400, number=2))
    assert (status(top_up), top_up.disputed_micros) == (Status.DISPUTED, 7 * DOLLAR)

    stripe_tells(stripe_server, "charge.dispute.closed", stripe_server.dispute(top_up.reference, 300, "won"))

    assert (status(top_up), top_up.disputed_micros) == (Status.DISPUTED, 4 * DOLLAR)


def test_dispute_when_it_was_won_and_is_lost_after_all_is_taken_and_an_older_list_returns_nothing(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    """Money that has moved once more is what tells the later state from the earlier one."""

    def becomes(word: str, moves: int) -> dict[str, Any]:
        dispute = stripe_server.dispute(top_up.reference, 1000, word)
        stripe_server.disputes["du_1"]["balance_transactions"] = [{"id": f"txn_{n}"} for n in range(moves)]
        return {**dispute, "balance_transactions": stripe_server.disputes["du_1"]["balance_transactions"]}

    stripe_tells(stripe_server, "charge.dispute.created", becomes("needs_response", 1))
    stripe_tells(stripe_server, "charge.dispute.closed", becomes("won", 2))
    stripe_server.lag()
    assert stands(top_up) == THERE

    stripe_tells(stripe_server, "charge.dispute.closed", becomes("lost", 3))
    assert stands(top_up) == (Status.DISPUTED, 100 * DOLLAR)
    stripe_tells(stripe_server, "charge.dispute.created", stripe_server.dispute(top_up.reference, 100, "won", number=2))

    assert stands(top_up) == (Status.DISPUTED, 100 * DOLLAR)


def test_dispute_when_its_news_arrive_in_the_wrong_order_ends_at_the_last_one(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_server.lag()
    opened = stripe_server.event(
        "charge.dispute.created", stripe_server.dispute(top_up.reference, 1000), created=1_800_000_000
    )
    won = stripe_server.event(
        "charge.dispute.closed", stripe_server.dispute(top_up.reference, 1000, "won"), created=1_800_000_500
    )

    assert (stripe_says(won), stands(top_up)) == (200, THERE)
    assert (stripe_says(opened), stands(top_up)) == (200, THERE)


def test_fraud_warning_when_told_after_it_was_over_calls_nobody(top_up: TopUp, stripe_server: FakeStripe) -> None:
    begun = stripe_server.event("radar.early_fraud_warning.created", stripe_server.fraud_warning(top_up.reference))
    over = stripe_server.fraud_warning(top_up.reference, actionable=False)
    stripe_tells(stripe_server, "radar.early_fraud_warning.updated", over)

    assert stripe_says(begun) == 200

    assert (status(top_up), top_up.attention, outcomes()[-2:]) == (Status.PAID, "", ["ignored", "ignored"])


# --- The session ------------------------------------------------------------------------------------------------------
def test_session_when_its_beginning_is_told_after_the_bank_said_no_is_asked_about_again(
    ann: User, stripe_server: FakeStripe
) -> None:
    """Being confirmed once more, it would wait for ever: nobody asks about what was declined."""
    top_up = start(ann, "stripe")
    unpaid = dict(stripe_server.pay(top_up.reference, payment_status="unpaid"))
    begun = stripe_server.event("checkout.session.completed", unpaid)
    stripe_tells(stripe_server, "checkout.session.async_payment_failed", unpaid)
    assert status(top_up) == Status.DECLINED
    stripe_server.session_of(top_up.reference)["payment_intent"] = {"status": "requires_payment_method"}

    stripe_says(begun)
    check_top_ups()

    assert (status(top_up), top_up.next_check_at, balance(ann)) == (Status.DECLINED, None, 100 * DOLLAR)
