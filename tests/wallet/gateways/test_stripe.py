"""Stripe Checkout, against a stand-in that speaks its documented shapes over a real socket."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.wallet.fake_stripe import FakeStripe, signature
from tests.wallet.paying import DOLLAR, balance, knock, outcomes, rows, start, stripe_says
from wallet.gateways.stripe import StripeGateway, minor_amount, minor_micros
from wallet.models import GatewayEvent, LedgerEntry, TopUp
from wallet.operations import TopUpRefused, check_top_ups, start_top_up

pytestmark = pytest.mark.django_db
Status = TopUp.Status
CLOSED = "checkout.session.completed"


@pytest.fixture
def top_up(ann: User, stripe_server: FakeStripe) -> TopUp:
    """Ten dollars for Ann, begun at Stripe; she had a hundred."""
    return start(ann, "stripe")


def status(top_up: TopUp) -> str:
    top_up.refresh_from_db()
    return top_up.status


def test_start_when_stripe_answers_names_us_and_the_amount(stripe_server: FakeStripe, ann: User, settings: Any) -> None:
    settings.PAYMENT_TERMS = {"stripe": {"fee_fixed": Decimal(1)}}

    top_up = start(ann, "stripe")

    session = stripe_server.sessions["cs_test_1"]
    assert (top_up.gateway_id, top_up.pay_url) == ("cs_test_1", session["url"])
    assert (session["amount_total"], session["currency"], session["mode"]) == (1100, "usd", "payment")
    assert session["client_reference_id"] == session["metadata"]["reference"] == top_up.reference
    assert session["success_url"] == f"{settings.SITE_URL}/wallet/payments/{top_up.reference}"
    assert top_up.expires_at is not None
    assert int(top_up.expires_at.timestamp()) == session["expires_at"]


def test_start_when_repeated_for_one_top_up_makes_one_session(
    top_up: TopUp, stripe_server: FakeStripe, settings: Any
) -> None:
    again = StripeGateway().start(top_up, f"{settings.SITE_URL}/wallet/payments/{top_up.reference}")

    assert (again.gateway_id, len(stripe_server.sessions)) == (top_up.gateway_id, 1)


@pytest.mark.parametrize("trouble", ["silent", "broken"])
def test_start_when_stripe_does_not_answer_refuses_and_closes_the_top_up(
    stripe_server: FakeStripe, ann: User, trouble: str
) -> None:
    setattr(stripe_server, trouble, True)

    with pytest.raises(TopUpRefused, match="isn't responding"):
        start(ann, "stripe")

    top_up = TopUp.objects.get()
    assert (top_up.status, top_up.next_check_at, balance(ann)) == (Status.DECLINED, None, 100 * DOLLAR)


@pytest.mark.parametrize(
    ("currency", "micros", "integer"),
    [
        ("usd", 12_340_000, 1234),
        ("JPY", 500_000_000, 500),
        ("ISK", 5_000_000, 500),
        ("UGX", 5_000_000, 500),
        ("KWD", 5_120_000, 5120),
        ("KWD", 5_124_000, 5130),
        ("usd", 1, 1),
    ],
)
def test_minor_amount_when_currencies_differ_follows_their_decimals(currency: str, micros: int, integer: int) -> None:
    assert minor_amount(micros, currency) == integer
    assert minor_amount(micros, currency) * minor_micros(currency) >= micros


def test_callback_when_paid_credits_once_and_keeps_the_event(top_up: TopUp, stripe_server: FakeStripe) -> None:
    body = stripe_server.event(CLOSED, stripe_server.pay(top_up.reference))

    assert stripe_says(body) == 200

    assert (status(top_up), top_up.received_micros, top_up.credited_micros) == (Status.PAID, 10 * DOLLAR, 10 * DOLLAR)
    assert (top_up.next_check_at, balance(top_up.user)) == (None, 110 * DOLLAR)
    entry = LedgerEntry.objects.get(reference=f"top_up:{top_up.reference}")
    assert (entry.kind, entry.amount_micros) == ("top_up", 10 * DOLLAR)
    event = GatewayEvent.objects.get()
    assert (event.gateway, event.event_id, event.kind, event.top_up) == ("stripe", "evt_1", CLOSED, top_up)
    assert event.body == body.decode()


def test_callback_when_the_bank_takes_days_waits_and_then_credits(top_up: TopUp, stripe_server: FakeStripe) -> None:
    unpaid = stripe_server.pay(top_up.reference, payment_status="unpaid")
    assert stripe_says(stripe_server.event(CLOSED, dict(unpaid))) == 200
    assert (status(top_up), balance(top_up.user)) == (Status.PENDING, 100 * DOLLAR)

    paid = stripe_server.pay(top_up.reference)
    assert stripe_says(stripe_server.event("checkout.session.async_payment_succeeded", paid)) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_callback_when_the_bank_says_no_after_days_declines(top_up: TopUp, stripe_server: FakeStripe) -> None:
    unpaid = stripe_server.pay(top_up.reference, payment_status="unpaid")
    stripe_says(stripe_server.event(CLOSED, unpaid))

    stripe_says(stripe_server.event("checkout.session.async_payment_failed", unpaid))

    assert (status(top_up), balance(top_up.user)) == (Status.DECLINED, 100 * DOLLAR)


def test_callback_when_the_session_expires_and_is_paid_all_the_same_credits_late(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    expired = dict(stripe_server.session_of(top_up.reference), status="expired")
    stripe_says(stripe_server.event("checkout.session.expired", expired))
    assert status(top_up) == Status.EXPIRED

    stripe_says(stripe_server.event(CLOSED, stripe_server.pay(top_up.reference)))

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)
    assert "expired" in top_up.note


@pytest.mark.parametrize(
    "signed",
    [{"secret": "whsec_other"}, {"signed_at": int(time.time()) - 301}],
    ids=["another secret", "five minutes ago"],
)
def test_callback_when_forged_or_stale_is_refused(
    top_up: TopUp, stripe_server: FakeStripe, signed: dict[str, Any]
) -> None:
    body = stripe_server.event(CLOSED, stripe_server.pay(top_up.reference))

    assert stripe_says(body, **signed) == 400

    assert (outcomes(), balance(top_up.user), status(top_up)) == (["refused"], 100 * DOLLAR, Status.CREATED)
    reason = GatewayEvent.objects.get().reason
    assert reason.startswith("stale" if "signed_at" in signed else "forged")
    assert stripe_says(body) == 200  # what was refused then does not spoil the true one
    assert balance(top_up.user) == 110 * DOLLAR


@pytest.mark.parametrize(
    "header", ["", "t=,v1=", "t=x,v1=y", "v1=", "t=1", "t=1,v1=ünïcode", 10_000 * "t=1,", "t=99999999999999999999,v1=0"]
)
def test_callback_when_the_signature_is_odd_is_refused(top_up: TopUp, stripe_server: FakeStripe, header: str) -> None:
    body = stripe_server.event(CLOSED, stripe_server.pay(top_up.reference))

    assert knock("stripe", body, {"Stripe-Signature": header.encode().decode("latin-1")}) == 400

    assert (outcomes(), balance(top_up.user)) == (["refused"], 100 * DOLLAR)
    assert GatewayEvent.objects.get().reason == "forged: the signature does not fit"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"\x00",
        b"[]",
        b"null",
        b"5",
        b"{}",
        b'{"data": 5}',
        b"[" * 60_000,
        b'{"data": {"object": []}}',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_callback_when_signed_but_unreadable_is_refused_or_ignored(stripe_server: FakeStripe, db: None, body: bytes):
    answered = knock("stripe", body, {"Stripe-Signature": signature(body)})

    assert (answered, outcomes()) == (400, ["refused"])


def test_callback_when_of_the_other_mode_is_foreign(top_up: TopUp, stripe_server: FakeStripe) -> None:
    body = stripe_server.event(CLOSED, stripe_server.pay(top_up.reference), livemode=True)

    assert stripe_says(body) == 400
    assert GatewayEvent.objects.get().reason.startswith("foreign")
    assert balance(top_up.user) == 100 * DOLLAR


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "customer.created", ""])
def test_callback_when_about_something_else_is_ignored(top_up: TopUp, stripe_server: FakeStripe, kind: str) -> None:
    assert stripe_says(stripe_server.event(kind, {"id": "pi_1"})) == 200
    assert (outcomes(), status(top_up)) == (["ignored"], Status.CREATED)


def test_callback_when_another_currency_was_paid_credits_nothing(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_says(stripe_server.event(CLOSED, stripe_server.pay(top_up.reference, currency="jpy")))

    assert (status(top_up), balance(top_up.user)) == (Status.REVIEW, 100 * DOLLAR)
    assert "1000.00 JPY" in top_up.attention


def test_refund_when_in_part_and_then_in_whole_takes_back_the_same_share(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_says(stripe_server.event(CLOSED, stripe_server.pay(top_up.reference)))

    stripe_says(stripe_server.event("charge.refunded", stripe_server.charge(top_up.reference, 250)))
    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 107_500_000)
    stripe_says(stripe_server.event("charge.refunded", stripe_server.charge(top_up.reference, 1000)))

    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)
    assert top_up.reversed_micros == 10 * DOLLAR


def test_refund_when_told_before_the_payment_ends_the_same(top_up: TopUp, stripe_server: FakeStripe) -> None:
    paid = stripe_server.event(CLOSED, stripe_server.pay(top_up.reference))

    stripe_says(stripe_server.event("charge.refunded", stripe_server.charge(top_up.reference, 1000)))
    stripe_says(paid)

    assert (status(top_up), balance(top_up.user)) == (Status.REFUNDED, 100 * DOLLAR)


def test_dispute_when_created_lost_or_won_follows_its_present_state(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_says(stripe_server.event(CLOSED, stripe_server.pay(top_up.reference)))
    created = stripe_server.event("charge.dispute.created", stripe_server.dispute(top_up.reference, 1000))
    stripe_says(created)
    withdrawn = stripe_server.dispute(top_up.reference, 1000)
    stripe_says(stripe_server.event("charge.dispute.funds_withdrawn", withdrawn))
    assert (status(top_up), balance(top_up.user)) == (Status.DISPUTED, 100 * DOLLAR)

    won = stripe_server.dispute(top_up.reference, 1000, "won")
    stripe_says(stripe_server.event("charge.dispute.closed", won))

    assert (status(top_up), top_up.attention, balance(top_up.user)) == (Status.PAID, "", 110 * DOLLAR)
    assert rows(top_up.user) == [("top_up", 10 * DOLLAR), ("reversal", -10 * DOLLAR), ("reversal", 10 * DOLLAR)]


def test_dispute_when_its_beginning_is_told_after_its_end_changes_nothing(
    top_up: TopUp, stripe_server: FakeStripe
) -> None:
    stripe_says(stripe_server.event(CLOSED, stripe_server.pay(top_up.reference)))
    created = stripe_server.event("charge.dispute.created", stripe_server.dispute(top_up.reference, 1000))
    closed = stripe_server.event("charge.dispute.closed", stripe_server.dispute(top_up.reference, 1000, "won"))

    stripe_says(closed)
    stripe_says(created)

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_dispute_when_only_a_question_takes_nothing(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_says(stripe_server.event(CLOSED, stripe_server.pay(top_up.reference)))

    question = stripe_server.dispute(top_up.reference, 1000, "warning_needs_response")
    assert stripe_says(stripe_server.event("charge.dispute.created", question)) == 200

    assert (status(top_up), balance(top_up.user)) == (Status.PAID, 110 * DOLLAR)


def test_dispute_when_stripe_cannot_be_asked_is_to_be_sent_again(top_up: TopUp, stripe_server: FakeStripe) -> None:
    stripe_says(stripe_server.event(CLOSED, stripe_server.pay(top_up.reference)))
    body = stripe_server.event("charge.dispute.created", stripe_server.dispute(top_up.reference, 1000))
    stripe_server.broken = True

    assert stripe_says(body) == 503
    assert balance(top_up.user) == 110 * DOLLAR
    stripe_server.broken = False

    assert stripe_says(body) == 200
    assert balance(top_up.user) == 100 * DOLLAR


def test_charge_when_no_session_of_ours_led_to_it_is_ignored(top_up: TopUp, stripe_server: FakeStripe) -> None:
    foreign = {**stripe_server.charge(top_up.reference, 1000), "payment_intent": "pi_of_somebody_else"}

    assert stripe_says(stripe_server.event("charge.refunded", foreign)) == 200
    assert (outcomes(), status(top_up)) == (["ignored"], Status.CREATED)


def asked(top_up: TopUp) -> TopUp:
    """Let the sweep ask about it now."""
    TopUp.objects.filter(pk=top_up.pk).update(next_check_at=timezone.now())
    check_top_ups()
    top_up.refresh_from_db()
    return top_up


@pytest.mark.parametrize(
    ("changes", "becomes"),
    [
        ({}, Status.PAID),
        ({"payment_status": "unpaid"}, Status.PENDING),
        ({"payment_status": "unpaid", "payment_intent": {"status": "requires_payment_method"}}, Status.DECLINED),
        ({"status": "expired", "payment_status": "unpaid"}, Status.EXPIRED),
        ({"status": "open", "payment_status": "unpaid"}, Status.CREATED),
    ],
    ids=["paid", "unpaid", "failed", "expired", "open"],
)
def test_ask_when_nothing_was_told_learns_how_it_stands(
    top_up: TopUp, stripe_server: FakeStripe, changes: dict[str, Any], becomes: str
) -> None:
    stripe_server.pay(top_up.reference, **changes)

    assert asked(top_up).status == becomes
    assert balance(top_up.user) == (110 if becomes == Status.PAID else 100) * DOLLAR


def test_start_when_offered_nowhere_is_refused(ann: User) -> None:
    with pytest.raises(TopUpRefused, match="isn't available"):
        start_top_up(user=ann, gateway="stripe", amount_micros=10 * DOLLAR)


def test_event_when_written_is_what_stripe_documents(stripe_server: FakeStripe) -> None:
    event = json.loads(stripe_server.event(CLOSED, {"id": "cs_1"}))

    assert {"id", "object", "type", "livemode", "created", "data"} <= set(event)
