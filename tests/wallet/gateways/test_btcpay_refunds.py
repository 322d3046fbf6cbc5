"""Refunds of BTCPay invoices: a pull payment that the customer claims, in payouts that may be canceled again."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.paying import DOLLAR, balance, btcpay_paid, btcpay_says, outcomes, rows, status
from wallet.models import TopUp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status


@pytest.fixture
def top_up(ann: User, btcpay_server: FakeBtcpay) -> TopUp:
    """Ten dollars of Ann's, paid in bitcoin; she had a hundred."""
    return btcpay_paid(ann, btcpay_server)


def says(server: FakeBtcpay, kind: str, payout: dict[str, Any], **changes: Any) -> int:
    return btcpay_says(server.payout_event(kind, payout, **changes))


@pytest.mark.parametrize("state", ["AwaitingApproval", "AwaitingPayment", "InProgress", "Completed"])
def test_payout_when_claimed_is_taken_before_it_is_sent(top_up: TopUp, btcpay_server: FakeBtcpay, state: str) -> None:
    """What is claimed may not be spent as well."""
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "4.00", state)

    assert says(btcpay_server, "PayoutCreated", payout) == 200

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (Status.PAID, 4 * DOLLAR, 106 * DOLLAR)


def test_payout_when_canceled_after_it_was_booked_comes_back(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "10.00", "AwaitingPayment")
    says(btcpay_server, "PayoutApproved", payout)
    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)

    payout["state"] = "Cancelled"
    assert says(btcpay_server, "PayoutUpdated", payout) == 200

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (Status.PAID, 0, 110 * DOLLAR)
    assert rows(top_up.user)[1:] == [("reversal", -10 * DOLLAR), ("reversal", 10 * DOLLAR)]


def test_payout_when_told_in_any_order_ends_at_what_the_server_says_now(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "10.00", "Completed")

    for order in itertools.permutations(["PayoutCreated", "PayoutApproved", "PayoutUpdated"]):
        for kind in order:
            assert says(btcpay_server, kind, {**payout, "state": "AwaitingApproval"}) == 200
        assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)
    assert rows(top_up.user) == [("top_up", 10 * DOLLAR), ("reversal", -10 * DOLLAR)]


def test_payout_when_several_refunds_and_claims_belong_to_one_invoice_adds_them_up(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    first, second = btcpay_server.refund(top_up.gateway_id), btcpay_server.refund(top_up.gateway_id)
    btcpay_server.payout(first, "1.00", "Completed")
    btcpay_server.payout(first, "2.00", "Cancelled")
    payout = btcpay_server.payout(second, "3.00", "InProgress")

    says(btcpay_server, "PayoutUpdated", payout)

    assert (status(top_up), top_up.refunded_micros) == (Status.PAID, 4 * DOLLAR)


def test_payout_when_the_key_may_not_list_refunds_counts_the_one_that_is_told(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.lists_refunds = False
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "3.00", "Completed")

    assert says(btcpay_server, "PayoutUpdated", payout) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 107 * DOLLAR)


def test_payout_when_the_server_is_old_reads_its_shape(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    """Before 2.0 a payout had `amount`, in the currency of its pull payment."""
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "4.00", "Completed")
    del payout["originalCurrency"]
    payout["amount"] = payout.pop("originalAmount")

    says(btcpay_server, "PayoutUpdated", payout)

    assert balance(top_up.user) == 106 * DOLLAR


def test_payout_when_in_bitcoin_is_for_a_human(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    """Nobody tells at what rate: at today's, half of the coins may be all of the money."""
    pull = btcpay_server.refund(top_up.gateway_id, currency="BTC")
    payout = btcpay_server.payout(pull, "0.0002", "Completed")

    assert says(btcpay_server, "PayoutUpdated", payout) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.REVIEW, 110 * DOLLAR)
    assert "BTC" in top_up.attention


@pytest.mark.parametrize("name", ["Salaries", "", "Refund", "Refund Inv1 and more", "Refund Other"])
def test_payout_when_it_refunds_no_invoice_of_ours_is_ignored(
    top_up: TopUp, btcpay_server: FakeBtcpay, name: str
) -> None:
    paid = btcpay_server.invoices[top_up.gateway_id]
    btcpay_server.invoices["Other"] = {**paid, "id": "Other", "metadata": {"orderId": "WOO-12"}}
    pull = btcpay_server.refund(top_up.gateway_id, name=name)

    assert says(btcpay_server, "PayoutCreated", btcpay_server.payout(pull, "3.00")) == 200

    assert (status(top_up), balance(top_up.user), outcomes()[-1]) == (Status.PAID, 110 * DOLLAR, "ignored")


def test_payout_when_it_has_no_pull_payment_is_ignored(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "3.00")

    assert says(btcpay_server, "PayoutCreated", {**payout, "pullPaymentId": None}) == 200

    assert (balance(top_up.user), outcomes()[-1]) == (110 * DOLLAR, "ignored")


@pytest.mark.parametrize("odd", [{}, [], [None], [5], [{"pullPaymentId": []}], None, "x"], ids=repr)
def test_payout_when_its_list_is_odd_or_lacks_it_is_to_be_sent_again(
    top_up: TopUp, btcpay_server: FakeBtcpay, odd: Any
) -> None:
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "3.00")
    btcpay_server.odd_payouts = odd

    assert says(btcpay_server, "PayoutCreated", payout) == 503

    assert balance(top_up.user) == 110 * DOLLAR


def test_payout_when_the_server_cannot_be_asked_is_to_be_sent_again(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "10.00")
    body = btcpay_server.payout_event("PayoutCreated", payout)
    btcpay_server.broken = True
    assert (btcpay_says(body), balance(top_up.user)) == (503, 110 * DOLLAR)

    btcpay_server.broken = False
    assert (btcpay_says(body), balance(top_up.user)) == (200, 100 * DOLLAR)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_payout_when_canceled_while_its_beginning_is_being_read_ends_canceled(
    top_up: TopUp, btcpay_server: FakeBtcpay, in_another_thread: Callable[[Callable[[], Any]], Any]
) -> None:
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "10.00")
    begun = btcpay_server.payout_event("PayoutCreated", payout)

    def canceled_meanwhile() -> None:
        payout["state"] = "Cancelled"
        canceled = btcpay_server.payout_event("PayoutUpdated", payout)
        assert in_another_thread(lambda: btcpay_says(canceled)) == 200

    btcpay_server.after_payouts = canceled_meanwhile

    assert btcpay_says(begun) == 200

    assert (status(top_up), top_up.refunded_micros, balance(top_up.user)) == (Status.PAID, 0, 110 * DOLLAR)


def test_invoice_when_marked_invalid_and_settled_again_needs_no_human_any_more(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.becomes(top_up.reference, "Invalid", "Marked")
    btcpay_says(btcpay_server.event("InvoiceInvalid", top_up.gateway_id, manuallyMarked=True))
    assert (status(top_up), bool(top_up.attention)) == (Status.PAID, True)

    btcpay_server.becomes(top_up.reference, "Settled", "Marked")
    btcpay_says(btcpay_server.event("InvoiceSettled", top_up.gateway_id, manuallyMarked=True))

    assert (status(top_up), top_up.attention, balance(top_up.user)) == (Status.PAID, "", 110 * DOLLAR)


@pytest.mark.parametrize("kind", ["InvoiceCreated", "InvoiceReceivedPayment", "InvoiceProcessing", "InvoiceExpired"])
def test_invoice_when_old_news_come_after_it_was_settled_changes_nothing(
    top_up: TopUp, btcpay_server: FakeBtcpay, kind: str
) -> None:
    assert btcpay_says(btcpay_server.event(kind, top_up.gateway_id, partiallyPaid=True, afterExpiration=True)) == 200

    assert (status(top_up), top_up.attention, balance(top_up.user)) == (Status.PAID, "", 110 * DOLLAR)


def test_invoice_when_more_arrives_after_it_was_settled_is_for_a_human(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.becomes(top_up.reference, "Settled", "PaidOver", "12.50")

    for kind in ("InvoiceReceivedPayment", "InvoicePaymentSettled", "InvoiceSettled"):
        btcpay_says(btcpay_server.event(kind, top_up.gateway_id, afterExpiration=True, overPaid=True))

    assert (status(top_up), balance(top_up.user)) == (Status.REVIEW, 110 * DOLLAR)
    assert top_up.attention == "The gateway reports 12.50 paid in total; 10.00 is booked."
