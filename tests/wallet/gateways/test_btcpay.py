"""BTCPay Server, against a stand-in that speaks the Greenfield API over a real socket."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.wallet.fake_btcpay import STORE, FakeBtcpay
from tests.wallet.paying import DOLLAR, balance, btcpay_says, knock, outcomes, start
from wallet.models import GatewayEvent, TopUp
from wallet.operations import TopUpRefused, check_top_ups

pytestmark = pytest.mark.django_db
Status = TopUp.Status


@pytest.fixture
def top_up(ann: User, btcpay_server: FakeBtcpay) -> TopUp:
    """Ten dollars for Ann, to be paid in bitcoin; she had a hundred."""
    return start(ann, "btcpay")


def status(top_up: TopUp) -> str:
    top_up.refresh_from_db()
    return top_up.status


def says(server: FakeBtcpay, kind: str, top_up: TopUp, **changes: Any) -> int:
    return btcpay_says(server.event(kind, top_up.gateway_id, **changes))


def test_start_when_btcpay_answers_names_us_and_the_amount(btcpay_server: FakeBtcpay, top_up: TopUp, settings: Any):
    invoice = btcpay_server.invoices["Inv1"]

    assert (top_up.gateway_id, top_up.pay_url) == ("Inv1", f"{btcpay_server.url}/i/Inv1")
    assert (invoice["amount"], invoice["currency"], invoice["metadata"]["orderId"]) == (
        "10.00",
        "USD",
        top_up.reference,
    )
    assert invoice["checkout"]["redirectURL"] == f"{settings.SITE_URL}/wallet/payments/{top_up.reference}"
    assert top_up.expires_at is not None
    assert int(top_up.expires_at.timestamp()) == invoice["expirationTime"]


@pytest.mark.parametrize("trouble", ["silent", "broken"])
def test_start_when_btcpay_does_not_answer_is_refused(btcpay_server: FakeBtcpay, ann: User, trouble: str) -> None:
    setattr(btcpay_server, trouble, True)

    with pytest.raises(TopUpRefused, match="isn't responding"):
        start(ann, "btcpay")

    assert TopUp.objects.get().status == Status.DECLINED


def test_start_when_the_link_is_not_a_web_address_is_refused(
    btcpay_server: FakeBtcpay, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = btcpay_server._create
    monkeypatch.setattr(
        btcpay_server, "_create", lambda wanted: (200, {**made(wanted)[1], "checkoutLink": "javascript:alert(1)"})
    )

    with pytest.raises(TopUpRefused):
        start(ann, "btcpay")


def test_callback_when_settled_credits_once(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    says(btcpay_server, "InvoiceReceivedPayment", top_up)
    assert status(top_up) == Status.CREATED
    btcpay_server.becomes(top_up.reference, "Processing")
    says(btcpay_server, "InvoiceProcessing", top_up)
    assert (status(top_up), balance(top_up.user)) == (Status.PENDING, 100 * DOLLAR)

    btcpay_server.becomes(top_up.reference, "Settled")
    for kind in ("InvoicePaymentSettled", "InvoiceSettled"):
        assert says(btcpay_server, kind, top_up) == 200

    assert (status(top_up), top_up.received_micros, balance(top_up.user)) == (
        Status.PAID,
        10 * DOLLAR,
        110 * DOLLAR,
    )


def test_callback_when_it_says_settled_but_the_invoice_does_not_is_not_trusted(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    assert says(btcpay_server, "InvoiceSettled", top_up) == 200

    assert (status(top_up), balance(top_up.user), outcomes()) == (Status.CREATED, 100 * DOLLAR, ["ignored"])


@pytest.mark.parametrize(
    ("detail", "paid", "received", "becomes"),
    [
        ("None", "10.00", 10_000_000, Status.PAID),
        ("None", "10.00005", 10_000_000, Status.PAID),
        ("None", "9.9", 9_900_000, Status.REVIEW),
        ("PaidOver", "12.5", 12_500_000, Status.PAID),
        ("PaidLate", "10.00", 10_000_000, Status.PAID),
        ("Marked", "0.0", 10_000_000, Status.PAID),
    ],
    ids=["exact", "a hair more", "within the store's tolerance", "over", "late", "marked by staff"],
)
def test_callback_when_settled_with_a_detail_credits_what_came(
    top_up: TopUp, btcpay_server: FakeBtcpay, detail: str, paid: str, received: int, becomes: str
) -> None:
    btcpay_server.becomes(top_up.reference, "Settled", detail, paid)

    says(btcpay_server, "InvoiceSettled", top_up)

    assert (status(top_up), top_up.received_micros, balance(top_up.user)) == (
        becomes,
        received,
        100 * DOLLAR + received,
    )


def test_callback_when_the_server_is_old_adds_the_payments_up(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    btcpay_server.old = True
    btcpay_server.becomes(top_up.reference, "Settled", "PaidOver")
    btcpay_server.transfer(top_up.reference, "0.0002")
    btcpay_server.transfer(top_up.reference, "0.0001")
    btcpay_server.transfer(top_up.reference, "5", status="Invalid")

    says(btcpay_server, "InvoiceSettled", top_up)

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 115 * DOLLAR)


def test_callback_when_paid_in_part_until_it_expired_credits_the_part(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    btcpay_server.becomes(top_up.reference, "Expired", "PaidPartial")
    btcpay_server.transfer(top_up.reference, "0.00003")
    btcpay_server.transfer(top_up.reference, "0.00005", status="Processing")
    says(btcpay_server, "InvoiceExpired", top_up, partiallyPaid=True)
    assert (status(top_up), balance(top_up.user)) == (Status.PENDING, 100 * DOLLAR)

    btcpay_server.payments["Inv1"][1]["status"] = "Settled"
    says(btcpay_server, "InvoicePaymentSettled", top_up)

    assert (status(top_up), top_up.received_micros, balance(top_up.user)) == (Status.REVIEW, 4 * DOLLAR, 104 * DOLLAR)
    assert "Underpaid by 6.00" in top_up.attention


def test_callback_when_expired_with_all_of_it_paid_too_late_credits_it(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.becomes(top_up.reference, "Expired")
    says(btcpay_server, "InvoiceExpired", top_up)
    assert status(top_up) == Status.EXPIRED

    btcpay_server.becomes(top_up.reference, "Expired", "PaidLate")
    btcpay_server.transfer(top_up.reference, "0.0002")
    says(btcpay_server, "InvoiceReceivedPayment", top_up, afterExpiration=True)

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_callback_when_invalid_declines_and_settled_afterwards_credits(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.becomes(top_up.reference, "Invalid")
    says(btcpay_server, "InvoiceInvalid", top_up)
    assert (status(top_up), balance(top_up.user)) == (Status.DECLINED, 100 * DOLLAR)

    btcpay_server.becomes(top_up.reference, "Settled", "Marked")
    says(btcpay_server, "InvoiceSettled", top_up, manuallyMarked=True)

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_callback_when_invalid_after_it_was_settled_moves_nothing_and_calls_a_human(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.becomes(top_up.reference, "Settled")
    says(btcpay_server, "InvoiceSettled", top_up)

    btcpay_server.becomes(top_up.reference, "Invalid", "Marked")
    says(btcpay_server, "InvoiceInvalid", top_up)

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)
    assert "declined" in top_up.attention


def test_callback_when_redelivered_is_known(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    btcpay_server.becomes(top_up.reference, "Settled")
    first = btcpay_server.event("InvoiceSettled", top_up.gateway_id)
    original = json.loads(first)["deliveryId"]

    btcpay_says(first)
    assert says(btcpay_server, "InvoiceSettled", top_up, originalDeliveryId=original, isRedelivery=True) == 200

    assert outcomes() == ["applied", "repeated"]
    assert balance(top_up.user) == 110 * DOLLAR


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=00", "sha1=x", "ünïcode"])
def test_callback_when_the_signature_is_wrong_asks_nobody(
    top_up: TopUp, btcpay_server: FakeBtcpay, header: str
) -> None:
    btcpay_server.becomes(top_up.reference, "Settled")
    calls = len(btcpay_server.calls)
    body = btcpay_server.event("InvoiceSettled", top_up.gateway_id)

    assert knock("btcpay", body, {"BTCPay-Sig": header.encode().decode("latin-1")}) == 400

    assert (len(btcpay_server.calls), outcomes(), balance(top_up.user)) == (calls, ["refused"], 100 * DOLLAR)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 60_000, b"[]", b"{}", b"null"], ids=lambda body: repr(body[:6]))
def test_callback_when_signed_but_unreadable_is_refused(btcpay_server: FakeBtcpay, db: None, body: bytes) -> None:
    assert (btcpay_says(body), outcomes()) == (400, ["refused"])


def test_callback_when_of_another_store_is_foreign(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    assert says(btcpay_server, "InvoiceSettled", top_up, storeId=f"{STORE}2") == 400
    assert GatewayEvent.objects.get().reason.startswith("foreign")


def test_callback_when_the_server_cannot_be_asked_is_to_be_sent_again(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    btcpay_server.becomes(top_up.reference, "Settled")
    body = btcpay_server.event("InvoiceSettled", top_up.gateway_id)
    btcpay_server.broken = True
    assert (btcpay_says(body), balance(top_up.user)) == (503, 100 * DOLLAR)
    btcpay_server.broken = False

    assert (btcpay_says(body), balance(top_up.user)) == (200, 110 * DOLLAR)


def test_callback_when_the_invoice_is_of_another_currency_credits_nothing(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    btcpay_server.becomes(top_up.reference, "Settled")["currency"] = "EUR"

    says(btcpay_server, "InvoiceSettled", top_up)

    assert (status(top_up), balance(top_up.user)) == (Status.REVIEW, 100 * DOLLAR)


def test_callback_when_the_invoice_is_not_ours_is_ignored(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    other = {**btcpay_server.invoices["Inv1"], "id": "Other", "metadata": {"orderId": "WOO-12"}, "status": "Settled"}
    btcpay_server.invoices["Other"] = other

    assert btcpay_says(btcpay_server.event("InvoiceSettled", "Other")) == 200
    assert (outcomes(), balance(top_up.user)) == (["ignored"], 100 * DOLLAR)


def test_callback_when_an_invoice_borrows_our_reference_is_refused(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    btcpay_server.invoices["Other"] = {**btcpay_server.becomes(top_up.reference, "Settled"), "id": "Other"}

    assert btcpay_says(btcpay_server.event("InvoiceSettled", "Other")) == 400
    assert (outcomes(), balance(top_up.user)) == (["refused"], 100 * DOLLAR)


def test_sweep_when_the_answer_to_our_request_was_lost_finds_the_invoice(btcpay_server: FakeBtcpay, ann: User) -> None:
    """The process died after the invoice was made and before its id was saved."""
    top_up = start(ann, "btcpay")
    TopUp.objects.update(gateway_id="", pay_url="", next_check_at=timezone.now())
    btcpay_server.becomes(top_up.reference, "Settled")

    check_top_ups()

    assert (status(top_up), top_up.gateway_id, balance(ann)) == (Status.PAID, "Inv1", 110 * DOLLAR)


# --- Answers that are not what the document says -----------------------------------------------------------------
ODD = [{}, {"error": "busy"}, [None], [5], ["x"], [{"payments": 5}], [{"payments": [None]}], [{"payments": {"a": 1}}]]
ODD += [
    [{"payments": [{"status": "Settled", "value": "1_000"}], "rate": "1"}],
    "text",
    5,
    None,
    [{"rate": [], "payments": [{"status": "Settled", "value": "1"}]}],
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_sweep_when_payment_methods_are_odd_goes_on_with_the_others(
    btcpay_server: FakeBtcpay, ann: User, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    first, second = start(ann, "btcpay"), start(ann, "btcpay")
    for each in (first, second):
        btcpay_server.becomes(each.reference, "Expired", "PaidPartial")
    btcpay_server.transfer(second.reference, "0.0002")
    usual = btcpay_server.answer
    monkeypatch.setattr(
        btcpay_server,
        "answer",
        lambda method, path, *rest: (200, odd) if path.endswith("Inv1/payment-methods") else usual(method, path, *rest),
    )

    check_top_ups(now=timezone.now() + timedelta(minutes=10))

    assert (status(first), status(second)) == (Status.CREATED, Status.PAID)


@pytest.mark.parametrize("odd", [[], {}, "text", 5, None, {"id": 5}, {"id": "x", "checkoutLink": 5}, [{"id": "x"}]])
def test_start_when_the_answer_is_odd_is_refused(
    btcpay_server: FakeBtcpay, ann: User, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    monkeypatch.setattr(btcpay_server, "answer", lambda *_asked: (200, odd))

    with pytest.raises(TopUpRefused, match="isn't responding"):
        start(ann, "btcpay")


@pytest.mark.parametrize("told", [None, "", "never", 0, -1, 10**30, 1672574400, "a/b", [], 99999999999999])
def test_start_when_the_expiry_cannot_be_meant_takes_our_own(
    btcpay_server: FakeBtcpay, ann: User, monkeypatch: pytest.MonkeyPatch, told: Any
) -> None:
    usual = btcpay_server.answer

    def answer(*asked: Any) -> tuple[int, Any]:
        code, invoice = usual(*asked)
        return code, {**invoice, "expirationTime": told}

    monkeypatch.setattr(btcpay_server, "answer", answer)

    top_up = start(ann, "btcpay")

    assert top_up.expires_at is not None
    assert timedelta(minutes=59) < top_up.expires_at - timezone.now() < timedelta(minutes=61)
