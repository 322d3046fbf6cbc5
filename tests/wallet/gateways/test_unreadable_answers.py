"""Texts of gateways that cannot be kept as they came: they are refused, never mended, and nothing is half done."""

import json
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.samples import each_value_once
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.fake_server import FakeServer
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, balance, btcpay_says, outcomes, rows, start, stripe_says
from wallet.gateways import PaymentUpdate, Started, State, Unreachable
from wallet.models import GatewayEvent, TopUp
from wallet.operations import TopUpRefused, check_top_up

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status

DAMAGE = {
    "NUL": "\x00",
    "half a surrogate": "\ud83d",
    "line end": "\n",
    "two blanks": "  ",
    "seen by nobody": "\u202e",
    "no character": "\uffff",
    "endless": "x" * 3000,
}
ANSWERS = {
    "btcpay-checkoutLink": ("btcpay", "checkoutLink", "https://pay.example/i/In{}v1"),
    "btcpay-id": ("btcpay", "id", "In{}v1"),
    "stripe-url": ("stripe", "url", "https://pay.example/c/pa{}y"),
    "stripe-id": ("stripe", "id", "cs_te{}st"),
}
BTCPAYS_TEXTS = ["deliveryId", "originalDeliveryId", "type", "invoiceId", "storeId", "pullPaymentId"]
STRIPES_TEXTS = ["id", "client_reference_id", "currency", "payment_intent"]
damaged = pytest.mark.parametrize("damage", list(DAMAGE.values()), ids=list(DAMAGE))


def told(kinds: list[str], fields: list[str]) -> dict[str, tuple[str, str]]:
    """Every text of every kind of event."""
    return {f"{kind}-{field}": (kind, field) for kind in kinds for field in fields}


def answers_with(server: FakeServer, field: str, value: Any, *, method: str) -> None:
    """From now on a field of the server's objects has another value, also in lists of them."""
    real = server.answer

    def changed(one: Any) -> Any:
        if isinstance(one, list):
            return [changed(row) for row in one]
        if not isinstance(one, dict):
            return one
        if one.get("object") == "list":
            return {**one, "data": changed(one["data"])}
        head, _dot, rest = field.partition(".")
        return {**one, head: {**one[head], rest: value} if rest else value} if head in one else one

    def answer(called: str, *rest: Any) -> tuple[int, Any]:
        status, found = real(called, *rest)
        return status, changed(found) if called == method else found

    server.answer = answer  # type: ignore[method-assign]


@each_value_once(answer=ANSWERS, damage=DAMAGE)
def test_start_when_a_text_cannot_be_kept_is_refused_and_leaves_nothing_open(
    ann: User, btcpay_server: FakeBtcpay, stripe_server: FakeStripe, answer: tuple[str, str, str], damage: str
) -> None:
    gateway, field, value = answer
    server = {"btcpay": btcpay_server, "stripe": stripe_server}[gateway]
    answers_with(server, field, value.format(damage), method="POST")

    with pytest.raises(TopUpRefused, match="isn't responding"):
        start(ann, gateway)

    top_up = TopUp.objects.get()
    assert (top_up.status, top_up.gateway_id, top_up.pay_url, top_up.next_check_at) == (Status.DECLINED, "", "", None)
    assert balance(ann) == 100 * DOLLAR


@pytest.mark.parametrize("gateway", ["btcpay", "stripe"])
def test_page_when_the_gateway_answers_what_cannot_be_kept_says_so(
    client: Any, ann: User, btcpay_server: FakeBtcpay, stripe_server: FakeStripe, gateway: str
) -> None:
    answers_with(btcpay_server, "checkoutLink", "https://pay.example/\ud83d", method="POST")
    answers_with(stripe_server, "url", "https://pay.example/\x00", method="POST")
    client.force_login(ann)

    answer = client.post(reverse("wallet:add"), {"amount": "10", "gateway": gateway})

    assert answer.status_code == 200
    assert "responding right now" in answer.content.decode()


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "//evil.example", "/wallet/", "ftp://x", "", None, 5, []], ids=repr
)
@pytest.mark.parametrize("gateway", ["btcpay", "stripe"])
def test_start_when_the_page_is_none_of_the_gateways_is_refused(
    ann: User, btcpay_server: FakeBtcpay, stripe_server: FakeStripe, gateway: str, link: Any
) -> None:
    answers_with(btcpay_server, "checkoutLink", link, method="POST")
    answers_with(stripe_server, "url", link, method="POST")

    with pytest.raises(TopUpRefused):
        start(ann, gateway)


@each_value_once(field=["id", "metadata.orderId", "currency", "status", "additionalStatus"], damage=DAMAGE)
def test_btcpay_when_an_invoice_has_a_text_that_cannot_be_kept_credits_once_it_is_whole(
    ann: User, btcpay_server: FakeBtcpay, field: str, damage: str
) -> None:
    top_up = start(ann, "btcpay")
    btcpay_server.becomes(top_up.reference, "Settled")
    whole = btcpay_server.answer
    answers_with(btcpay_server, field, f"US{damage}D", method="GET")
    body = btcpay_server.event("InvoiceSettled", top_up.gateway_id)

    assert btcpay_says(body) in (200, 400, 503)
    check_top_up(top_up)

    assert rows(ann) in ([], [("top_up", 10 * DOLLAR)])
    btcpay_server.answer = whole  # type: ignore[method-assign]
    btcpay_says(btcpay_server.event("InvoiceSettled", top_up.gateway_id))
    top_up.refresh_from_db()
    assert (top_up.status, balance(ann)) == (Status.PAID, 110 * DOLLAR)


@each_value_once(told=told(["InvoiceSettled", "PayoutCreated"], BTCPAYS_TEXTS), damage=DAMAGE)
def test_btcpay_when_an_event_has_a_text_that_cannot_be_kept_is_no_error_of_ours(
    ann: User, btcpay_server: FakeBtcpay, told: tuple[str, str], damage: str
) -> None:
    kind, field = told
    top_up = start(ann, "btcpay")
    event = json.loads(btcpay_server.event(kind, top_up.gateway_id, pullPaymentId="Pull1"))
    event[field] += damage

    assert btcpay_says(json.dumps(event).encode()) in (200, 400, 503)

    assert (rows(ann), TopUp.objects.get().gateway_id) == ([], top_up.gateway_id)


@each_value_once(told=told(["checkout.session.completed", "refund.created"], STRIPES_TEXTS), damage=DAMAGE)
def test_stripe_when_an_event_has_a_text_that_cannot_be_kept_is_no_error_of_ours(
    ann: User, stripe_server: FakeStripe, told: tuple[str, str], damage: str
) -> None:
    kind, field = told
    top_up = start(ann, "stripe")
    session = stripe_server.pay(top_up.reference)
    about = session if kind.startswith("checkout") else stripe_server.refund(top_up.reference, 100)

    assert stripe_says(stripe_server.event(kind, {**about, field: f"{about.get(field)}{damage}"})) in (200, 400, 503)
    assert stripe_says(stripe_server.event(f"{kind}{damage}", about)) in (200, 400, 503)
    assert stripe_says(stripe_server.event(kind, about, id=f"evt{damage}")) == 503

    assert stripe_says(stripe_server.event("checkout.session.completed", session)) == 200
    assert [kept for kept in GatewayEvent.objects.all() if damage in kept.event_id + kept.kind] == []
    top_up.refresh_from_db()
    assert top_up.received_micros == 10 * DOLLAR


@damaged
def test_stripe_when_its_refusal_cannot_be_kept_is_noted_without_it(
    ann: User, stripe_server: FakeStripe, damage: str
) -> None:
    """What Stripe gives as the code of an error stands in the reason why a callback was not checked."""
    top_up = start(ann, "stripe")
    refund = stripe_server.refund(top_up.reference, 100)
    error = {"type": "invalid_request_error", "message": "no", "code": f"no{damage}"}
    stripe_server.answer = lambda *_called: (400, {"error": error})  # type: ignore[method-assign]

    assert stripe_says(stripe_server.event("refund.created", refund)) == 503

    assert outcomes() == ["refused"]
    assert GatewayEvent.objects.get().reason.startswith("could not be checked: Stripe: InvalidRequestError 400 no")


def test_btcpay_when_refunds_come_to_more_than_columns_hold_is_to_be_sent_again(
    ann: User, btcpay_server: FakeBtcpay
) -> None:
    top_up = start(ann, "btcpay")
    btcpay_server.becomes(top_up.reference, "Settled")
    btcpay_says(btcpay_server.event("InvoiceSettled", top_up.gateway_id))
    for _refund in range(12):
        payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "999999999999", "Completed")

    assert btcpay_says(btcpay_server.payout_event("PayoutCreated", payout)) == 503

    assert balance(ann) == 110 * DOLLAR


def test_btcpay_when_a_store_has_refunds_with_odd_names_still_reads_ours(ann: User, btcpay_server: FakeBtcpay) -> None:
    """Names are what staff typed: they are compared and never kept."""
    top_up = start(ann, "btcpay")
    btcpay_server.becomes(top_up.reference, "Settled")
    btcpay_says(btcpay_server.event("InvoiceSettled", top_up.gateway_id))
    for odd in DAMAGE.values():
        btcpay_server.payout(btcpay_server.refund(top_up.gateway_id, name=f"Salaries {odd}"), "1.00", "Completed")
    payout = btcpay_server.payout(btcpay_server.refund(top_up.gateway_id), "4.00", "Completed")

    assert btcpay_says(btcpay_server.payout_event("PayoutCreated", payout)) == 200

    assert balance(ann) == 106 * DOLLAR


@damaged
@pytest.mark.parametrize("field", ["event_id", "kind", "currency"])
def test_update_when_any_text_of_it_cannot_be_kept_does_not_exist(field: str, damage: str) -> None:
    texts = dict.fromkeys(["event_id", "kind", "gateway_id", "reference", "currency"], "x")

    with pytest.raises(Unreachable):
        PaymentUpdate(**{**texts, field: f"x{damage}y"}, state=State.PAID)
    with pytest.raises(Unreachable):
        PaymentUpdate(**texts, state=State.REFUNDED, shares={f"x{damage}y": 1})


@pytest.mark.parametrize("micros", [-1, 10**18 + 1])
def test_update_when_its_amount_is_beyond_all_use_does_not_exist(micros: int) -> None:
    with pytest.raises(Unreachable):
        PaymentUpdate("", "", "", "x", State.PAID, micros)
    with pytest.raises(Unreachable):
        PaymentUpdate("", "", "", "x", State.REFUNDED, shares={"a": micros})


@pytest.mark.parametrize("page", ["https://x.example/a?b=1#c%20d", "http://localhost/i/Inv1", "/wallet/ABC/"])
def test_started_when_its_page_is_whole_exists(page: str) -> None:
    assert Started(page, "", timezone.now()).pay_url == page
