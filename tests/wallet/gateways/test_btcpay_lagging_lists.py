"""Answers of a BTCPay Server that are older than its events: what was told is not undone by them, nor counted twice."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.paying import DOLLAR, balance, btcpay_paid, btcpay_says, rows, start, status
from wallet.models import TopUp
from wallet.operations import check_top_ups

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status


@pytest.fixture(params=[True, False], ids=["lists refunds", "may not list them"])
def top_up(ann: User, btcpay_server: FakeBtcpay, request: pytest.FixtureRequest) -> TopUp:
    """Ten dollars of Ann's, paid in bitcoin; she had a hundred."""
    btcpay_server.lists_refunds = request.param
    return btcpay_paid(ann, btcpay_server)


def says(server: FakeBtcpay, payout: dict[str, Any], **changes: Any) -> int:
    return btcpay_says(server.payout_event("PayoutUpdated", {**payout, **changes}))


def refunded(top_up: TopUp) -> tuple[int, int]:
    """What is refunded, and what is in the wallet."""
    top_up.refresh_from_db()
    return top_up.refunded_micros, balance(top_up.user)


def test_payout_when_canceled_and_the_list_does_not_tell_yet_is_returned_for_good(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "4.00")
    assert says(btcpay_server, payout) == 200
    btcpay_server.lag()
    payout["state"] = "Cancelled"

    assert says(btcpay_server, payout) == 200
    assert refunded(top_up) == (0, 110 * DOLLAR)
    assert says(btcpay_server, payout, state="AwaitingPayment") == 200  # told late
    assert refunded(top_up) == (0, 110 * DOLLAR)

    btcpay_server.catch_up()
    assert says(btcpay_server, payout) == 200
    assert refunded(top_up) == (0, 110 * DOLLAR)
    assert len(rows(top_up.user)) == 3


def test_payout_when_the_list_lacks_it_is_to_be_sent_again_and_taken_then(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    """An event tells no amount."""
    btcpay_server.lag()
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "4.00")
    body = btcpay_server.payout_event("PayoutCreated", payout)
    assert (btcpay_says(body), *refunded(top_up)) == (503, 0, 110 * DOLLAR)

    btcpay_server.catch_up()

    assert (btcpay_says(body), *refunded(top_up)) == (200, 4 * DOLLAR, 106 * DOLLAR)


def test_payout_when_canceled_before_the_list_ever_had_it_is_done_with(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.lag()
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "4.00", "Cancelled")

    assert (says(btcpay_server, payout), *refunded(top_up)) == (200, 0, 110 * DOLLAR)


def test_payout_when_the_list_has_it_and_lacks_one_that_was_told_before_returns_nothing(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    pull = btcpay_server.refund(top_up.gateway_id)
    second = btcpay_server.payout(pull, "1.00")
    older = {second["id"]: second}
    first = btcpay_server.payout(pull, "4.00")
    assert says(btcpay_server, first) == 200
    assert refunded(top_up) == (5 * DOLLAR, 105 * DOLLAR)

    btcpay_server.listed = older
    assert says(btcpay_server, second) == 200
    assert refunded(top_up) == (5 * DOLLAR, 105 * DOLLAR)

    btcpay_server.catch_up()
    assert says(btcpay_server, second) == 200
    assert refunded(top_up) == (5 * DOLLAR, 105 * DOLLAR)


# --- Invoices ---------------------------------------------------------------------------------------------------------
def meanwhile(server: FakeBtcpay, monkeypatch: pytest.MonkeyPatch, step: Callable[[], Any]) -> None:
    """Let something happen once, after the next answer has been worked out and before it arrives."""
    usual, steps = server.answer, [step]

    def answer(*asked: Any) -> tuple[int, Any]:
        code, found = usual(*asked)
        found = dict(found) if isinstance(found, dict) else found
        while steps:
            steps.pop()()
        return code, found

    monkeypatch.setattr(server, "answer", answer)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_invoice_when_it_becomes_invalid_while_an_older_event_is_being_read_still_calls_a_human(
    btcpay_server: FakeBtcpay,
    ann: User,
    monkeypatch: pytest.MonkeyPatch,
    in_another_thread: Callable[[Callable[[], Any]], Any],
) -> None:
    top_up = btcpay_paid(ann, btcpay_server)

    def invalid_meanwhile() -> None:
        btcpay_server.becomes(top_up.reference, "Invalid", "Marked")
        invalid = btcpay_server.event("InvoiceInvalid", top_up.gateway_id)
        assert in_another_thread(lambda: btcpay_says(invalid)) == 200

    meanwhile(btcpay_server, monkeypatch, invalid_meanwhile)

    assert btcpay_says(btcpay_server.event("InvoicePaymentSettled", top_up.gateway_id)) == 200
    assert (status(top_up), bool(top_up.attention)) == (Status.PAID, True)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_sweep_when_something_is_told_while_it_asks_leaves_that_and_goes_on(
    btcpay_server: FakeBtcpay,
    ann: User,
    monkeypatch: pytest.MonkeyPatch,
    in_another_thread: Callable[[Callable[[], Any]], Any],
) -> None:
    """Its answer is the older one: it says declined of what has been paid by now."""
    first, second = start(ann, "btcpay"), start(ann, "btcpay")
    TopUp.objects.update(next_check_at=timezone.now())
    btcpay_server.becomes(first.reference, "Invalid")
    btcpay_server.becomes(second.reference, "Settled")

    def settled_meanwhile() -> None:
        btcpay_server.becomes(first.reference, "Settled", "Marked")
        settled = btcpay_server.event("InvoiceSettled", first.gateway_id)
        assert in_another_thread(lambda: btcpay_says(settled)) == 200

    meanwhile(btcpay_server, monkeypatch, settled_meanwhile)
    check_top_ups()

    assert (status(first), first.attention, status(second)) == (Status.PAID, "", Status.PAID)
    assert balance(ann) == 120 * DOLLAR
