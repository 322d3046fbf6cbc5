"""Payments of another system in the same account: acknowledged, never booked, and nothing is kept but a digest.

Which payments are ours is asked of our rows, and not of what an id looks like.
"""

import hashlib
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.samples import each_value_once
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import (
    DOLLAR,
    balance,
    btcpay_paid,
    btcpay_says,
    outcomes,
    rows,
    start,
    status,
    stripe_paid,
    stripe_says,
    stripe_tells,
)
from wallet.gateways.btcpay import BtcpayGateway
from wallet.gateways.stripe import StripeGateway
from wallet.models import GatewayEvent, TopUp
from wallet.operations import check_top_ups

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status

ODD = {
    "two blanks": "5  6",
    "blank first": " 5",
    "seen by nobody": "5\u200b6",
    "two for one": "e\u0301",
    "slashes": "../5?a=1#b",
    "line end": "5\n6",
    "no text at all": "\U0001f4b8",
}
odd_names = pytest.mark.parametrize("odd", list(ODD.values()), ids=list(ODD))
# What no column holds.
BEYOND = {"NUL": "5\x00", "half a surrogate": "5\ud83d", "endless": "x" * 3000}


def is_forgotten(body: bytes, number: int = 1) -> bool:
    """Whether so many callbacks were counted, and of the last one no more is kept than its kind and a digest."""
    *_earlier, event = GatewayEvent.objects.order_by("pk")
    assert outcomes() == ["ignored"] * number
    digest = f"{len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}"
    return (event.event_id, event.headers, event.body, event.top_up) == ("", {}, digest, None)


# --- Stripe -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def their_session(ann: User, stripe_server: FakeStripe) -> dict[str, Any]:
    """A paid session that another shop made in our account."""
    top_up = start(ann, "stripe")
    session = {**stripe_server.pay(top_up.reference), "id": "cs_test_77", "client_reference_id": "WOO-12"}
    session |= {"payment_intent": "pi_77", "metadata": {}}
    stripe_server.sessions = {"cs_test_77": session}
    stripe_server.charges.clear()
    TopUp.objects.all().delete()
    return session


def stripe_news(server: FakeStripe) -> list[tuple[str, dict[str, Any]]]:
    """What may follow a payment of theirs."""
    warning = server.fraud_warning("WOO-12")
    return [
        ("checkout.session.completed", dict(server.sessions["cs_test_77"])),
        ("refund.created", server.refund("WOO-12", 400)),
        ("charge.refunded", dict(server.charge("WOO-12", 500))),
        ("refund.failed", server.refund_becomes("re_1", "failed")),
        ("charge.dispute.created", server.dispute("WOO-12", 1000)),
        ("charge.dispute.closed", server.dispute("WOO-12", 1000, "won")),
        ("charge.failed", server.bank_takes_back("WOO-12")),
        ("radar.early_fraud_warning.created", warning),
    ]


def test_stripe_when_a_payment_is_of_another_shop_takes_its_news_and_keeps_a_digest(
    ann: User, stripe_server: FakeStripe, their_session: dict[str, Any]
) -> None:
    for number, (kind, about) in enumerate(stripe_news(stripe_server), 1):
        body = stripe_server.event(kind, about)

        assert stripe_says(body) == 200
        assert is_forgotten(body, number)
    assert (rows(ann), balance(ann)) == ([], 100 * DOLLAR)


def test_stripe_when_a_payment_is_of_another_shop_asks_no_more_than_whose_it_is(
    stripe_server: FakeStripe, their_session: dict[str, Any]
) -> None:
    """Whatever is odd in what it would be told then is none of our trouble, and need not be sent for days."""
    news = stripe_news(stripe_server)
    stripe_server.forbidden = {"charges", "refunds", "disputes"}
    before = len(stripe_server.calls)

    assert {stripe_tells(stripe_server, kind, about) for kind, about in news} == {200}

    assert all(call[1].startswith("/v1/checkout/sessions") for call in stripe_server.calls[before:])
    assert len(stripe_server.calls) - before == len(news) - 1


@each_value_once(field=["id", "client_reference_id", "currency", "payment_intent"], odd=ODD | BEYOND)
def test_stripe_when_a_payment_of_another_shop_has_odd_names_takes_its_news(
    ann: User, stripe_server: FakeStripe, their_session: dict[str, Any], field: str, odd: str
) -> None:
    their_session[field] = odd
    told = [stripe_server.event("checkout.session.completed", dict(their_session))]
    told += [stripe_server.event("refund.created", stripe_server.refund(their_session["client_reference_id"], 400))]
    told += [
        stripe_server.event("charge.dispute.created", stripe_server.dispute(their_session["client_reference_id"], 9))
    ]

    assert [stripe_says(body) for body in told] == [200, 200, 200]
    assert [stripe_says(stripe_server.event(f"payment_intent.{odd}", {"id": odd}, id=odd))] == [200]

    assert (set(outcomes()), rows(ann)) == ({"ignored"}, [])
    assert not GatewayEvent.objects.exclude(event_id="", headers={}).exists()


def test_stripe_when_an_account_is_connected_to_ours_takes_its_news_and_asks_nothing(
    ann: User, stripe_server: FakeStripe
) -> None:
    """Even where it tells of our payment: it is not the one that was paid."""
    top_up = stripe_paid(ann, stripe_server)
    body = stripe_server.event("refund.created", stripe_server.refund(top_up.reference, 1000), account="acct_9")
    before = len(stripe_server.calls)

    assert stripe_says(body) == 200

    assert (len(stripe_server.calls), status(top_up), balance(ann)) == (before, Status.PAID, 110 * DOLLAR)


@odd_names
def test_stripe_when_a_payment_of_ours_has_an_odd_id_books_it_and_what_follows(
    ann: User, stripe_server: FakeStripe, odd: str
) -> None:
    top_up = start(ann, "stripe")
    session = stripe_server.session_of(top_up.reference)
    session["id"] = f"cs_{odd}"
    TopUp.objects.update(gateway_id=f"cs_{odd}")

    assert StripeGateway().knows(f"cs_{odd}") is True
    stripe_tells(stripe_server, "checkout.session.completed", dict(stripe_server.pay(top_up.reference)))
    assert (status(top_up), balance(ann)) == (Status.PAID, 110 * DOLLAR)
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 400))
    assert balance(ann) == 106 * DOLLAR
    stripe_tells(stripe_server, "charge.dispute.created", stripe_server.dispute(top_up.reference, 600))

    assert (status(top_up), top_up.gateway_id, balance(ann)) == (Status.DISPUTED, f"cs_{odd}", 100 * DOLLAR)


@pytest.mark.parametrize("odd", list((ODD | BEYOND).values()), ids=list(ODD | BEYOND))
def test_stripe_when_the_answer_that_named_an_odd_id_was_lost_books_it_by_its_reference(
    ann: User, stripe_server: FakeStripe, odd: str
) -> None:
    top_up = start(ann, "stripe")
    stripe_server.session_of(top_up.reference)["id"] = f"cs_{odd}"
    TopUp.objects.update(gateway_id="", pay_url="")

    stripe_tells(stripe_server, "checkout.session.completed", dict(stripe_server.pay(top_up.reference)))
    assert (status(top_up), balance(ann)) == (Status.PAID, 110 * DOLLAR)
    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 400))

    assert (status(top_up), balance(ann)) == (Status.PAID, 106 * DOLLAR)
    assert top_up.gateway_id == ("" if odd in BEYOND.values() else f"cs_{odd}")


def test_stripe_when_several_sessions_led_to_a_payment_finds_ours(ann: User, stripe_server: FakeStripe) -> None:
    top_up = stripe_paid(ann, stripe_server)
    ours = stripe_server.sessions.pop("cs_test_1")
    stripe_server.sessions = {"cs_0": {**ours, "id": "cs_0", "client_reference_id": "WOO-12"}, "cs_test_1": ours}

    stripe_tells(stripe_server, "refund.created", stripe_server.refund(top_up.reference, 400))

    assert balance(ann) == 106 * DOLLAR


# --- BTCPay -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def their_invoice(ann: User, btcpay_server: FakeBtcpay) -> dict[str, Any]:
    """A settled invoice of another shop's in our store."""
    top_up = start(ann, "btcpay")
    invoice = {**btcpay_server.becomes(top_up.reference, "Settled"), "id": "Inv77", "metadata": {"orderId": "WOO-12"}}
    btcpay_server.invoices = {"Inv77": invoice}
    TopUp.objects.all().delete()
    return invoice


def test_btcpay_when_an_invoice_is_of_another_shop_takes_its_news_and_keeps_a_digest(
    ann: User, btcpay_server: FakeBtcpay, their_invoice: dict[str, Any]
) -> None:
    payout = btcpay_server.payout(btcpay_server.refund("Inv77"), "4.00")
    told = [btcpay_server.event(kind, "Inv77") for kind in ("InvoiceCreated", "InvoiceSettled", "InvoiceInvalid")]
    told += [btcpay_server.payout_event(kind, payout) for kind in ("PayoutCreated", "PayoutUpdated")]

    for number, body in enumerate(told, 1):
        assert btcpay_says(body) == 200
        assert is_forgotten(body, number)
    assert (rows(ann), balance(ann)) == ([], 100 * DOLLAR)


@each_value_once(field=["metadata", "currency", "amount", "paidAmount", "status", "additionalStatus"], odd=ODD | BEYOND)
def test_btcpay_when_an_invoice_of_another_shop_is_odd_takes_its_news(
    ann: User, btcpay_server: FakeBtcpay, their_invoice: dict[str, Any], field: str, odd: str
) -> None:
    their_invoice[field] = {"orderId": odd} if field == "metadata" else odd

    assert btcpay_says(btcpay_server.event("InvoiceSettled", "Inv77")) == 200
    assert btcpay_says(btcpay_server.event(f"Invoice{odd}", "Inv77", deliveryId=odd, originalDeliveryId=odd)) == 200

    assert (set(outcomes()), rows(ann)) == ({"ignored"}, [])


def test_btcpay_when_an_invoice_of_another_shop_is_in_parts_asks_nothing_of_its_payments(
    btcpay_server: FakeBtcpay, their_invoice: dict[str, Any]
) -> None:
    their_invoice |= {"status": "Expired", "additionalStatus": "PaidPartial"}
    before = len(btcpay_server.calls)

    assert btcpay_says(btcpay_server.event("InvoiceExpired", "Inv77", partiallyPaid=True)) == 200
    assert len(btcpay_server.calls) - before == 1


def test_btcpay_when_what_is_told_of_is_gone_takes_it_unless_it_is_ours(ann: User, btcpay_server: FakeBtcpay) -> None:
    """What the server has no more of others would be sent again and again."""
    top_up = btcpay_paid(ann, btcpay_server)
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "4.00")
    assert btcpay_says(btcpay_server.payout_event("PayoutCreated", payout)) == 200
    btcpay_server.invoices, btcpay_server.pulls = {}, {}

    assert btcpay_says(btcpay_server.event("InvoiceSettled", "Inv99")) == 200
    assert btcpay_says(btcpay_server.payout_event("PayoutUpdated", {**payout, "pullPaymentId": "Pull99"})) == 200
    assert outcomes()[-2:] == ["ignored", "ignored"]
    assert btcpay_says(btcpay_server.event("InvoiceSettled", top_up.gateway_id)) == 503
    assert btcpay_says(btcpay_server.payout_event("PayoutUpdated", payout)) == 503

    assert (status(top_up), balance(ann)) == (Status.PAID, 106 * DOLLAR)


@pytest.mark.parametrize("answer", [{}, {"code": "store-not-found"}, "Not found", [], None], ids=repr)
def test_btcpay_when_a_proxy_says_that_nothing_is_there_is_to_be_sent_again(
    btcpay_server: FakeBtcpay, db: None, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr(btcpay_server, "answer", lambda *_asked: (404, answer))
    payout = btcpay_server.payout(btcpay_server.refund("Inv1"), "4.00")

    assert btcpay_says(btcpay_server.event("InvoiceSettled", "Inv1")) == 503
    assert btcpay_says(btcpay_server.payout_event("PayoutCreated", payout)) == 503


@odd_names
def test_btcpay_when_an_invoice_of_ours_has_an_odd_id_books_it_and_what_follows(
    ann: User, btcpay_server: FakeBtcpay, odd: str
) -> None:
    top_up = start(ann, "btcpay")
    invoice = btcpay_server.becomes(top_up.reference, "Settled")
    invoice["id"] = f"Inv{odd}"
    btcpay_server.invoices = {f"Inv{odd}": invoice}
    TopUp.objects.update(gateway_id=f"Inv{odd}")

    assert BtcpayGateway().knows(f"Inv{odd}") is True
    assert btcpay_says(btcpay_server.event("InvoiceSettled", f"Inv{odd}")) == 200

    assert (status(top_up), top_up.gateway_id, balance(ann)) == (Status.PAID, f"Inv{odd}", 110 * DOLLAR)


@pytest.mark.parametrize("told", ["callback", "sweep"])
@odd_names
def test_btcpay_when_the_answer_that_named_an_odd_id_was_lost_books_it_by_its_reference(
    ann: User, btcpay_server: FakeBtcpay, odd: str, told: str
) -> None:
    top_up = start(ann, "btcpay")
    invoice = btcpay_server.becomes(top_up.reference, "Settled")
    invoice["id"] = f"Inv{odd}"
    btcpay_server.invoices = {f"Inv{odd}": invoice}
    TopUp.objects.update(gateway_id="", pay_url="", next_check_at=timezone.now())

    if told == "callback":
        assert btcpay_says(btcpay_server.event("InvoiceSettled", f"Inv{odd}")) == 200
    else:
        check_top_ups()

    assert (status(top_up), top_up.gateway_id, balance(ann)) == (Status.PAID, f"Inv{odd}", 110 * DOLLAR)


def test_knows_when_an_id_only_looks_like_ours_is_false(
    ann: User, stripe_server: FakeStripe, btcpay_server: FakeBtcpay
) -> None:
    stripe, btcpay = start(ann, "stripe"), start(ann, "btcpay")

    assert (StripeGateway().knows(stripe.gateway_id), BtcpayGateway().knows(btcpay.gateway_id)) == (True, True)
    assert (StripeGateway().knows("", stripe.reference), BtcpayGateway().knows("", btcpay.reference)) == (True, True)
    for nobody in ("", "cs_test_2", "Inv2", f"{stripe.gateway_id} ", stripe.gateway_id.upper(), btcpay.gateway_id):
        assert StripeGateway().knows(nobody, f"{stripe.reference}A") is False
    for beyond in BEYOND.values():
        assert BtcpayGateway().knows(beyond, beyond) is False
