"""A payment by somebody on the deny list is kept for a human: credited to nobody by itself, and never lost."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import DenyHit, User
from orders.accounting.audit import audit
from tests.accounts.denying import deny
from tests.wallet.conftest import btcpay_server, stripe_server
from tests.wallet.paying import balance, btcpay_says, demo_says, start, status, stripe_tells
from wallet.gateways import State, enabled_gateways
from wallet.models import LedgerEntry, TopUp
from wallet.operations import confirm_top_up, decline_top_up
from wallet.operations.callbacks import apply_answer

__all__ = ["btcpay_server", "stripe_server"]
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
CARD = "Xt5EWLLDS7FJjR1c"
DOLLAR = 1_000_000


@pytest.fixture(autouse=True)
def demo_gateway(settings: Any) -> None:
    settings.DEBUG = True


def hits() -> list[tuple[str, str, str]]:
    return [(hit.place, hit.user.email if hit.user else "", hit.seen) for hit in DenyHit.objects.order_by("pk")]


def held(top_up: TopUp) -> tuple[str, int, int, bool]:
    return status(top_up), top_up.received_micros, top_up.credited_micros, "deny list" in top_up.attention


@pytest.mark.parametrize("gateway", ["demo", "stripe", "btcpay"])
def test_by_their_address(gateway: str, ann: User, stripe_server: Any, btcpay_server: Any) -> None:
    deny("payer", "Eve@Bad.Example")
    before, top_up = balance(ann), start(ann, gateway)

    for _twice in range(2):
        assert paid(top_up, gateway, "eve@bad.example", stripe_server, btcpay_server) == 200

    assert held(top_up) == (TopUp.Status.REVIEW, 0, 0, True)
    assert balance(ann) == before
    assert TopUp.objects.for_a_human().get() == top_up
    assert hits() == [("payment", ann.email, "eve@bad.example")]


@pytest.mark.parametrize("gateway", ["demo", "stripe", "btcpay"])
def test_others_are_credited(gateway: str, ann: User, stripe_server: Any, btcpay_server: Any) -> None:
    deny("payer", "eve@bad.example")
    before, top_up = balance(ann), start(ann, gateway)

    assert paid(top_up, gateway, "other@example.com", stripe_server, btcpay_server) == 200

    assert status(top_up) == TopUp.Status.PAID
    assert balance(ann) == before + top_up.credited_micros > before
    assert not hits()


def paid(top_up: TopUp, gateway: str, payer: str, stripe_server: Any, btcpay_server: Any) -> int:
    match gateway:
        case "demo":
            return demo_says(top_up, State.PAID, payer=payer)
        case "stripe":
            session = stripe_server.pay(top_up.reference, customer_details={"email": payer})
            return stripe_tells(stripe_server, "checkout.session.completed", session)
        case _:
            btcpay_server.becomes(top_up.reference, "Settled")
            btcpay_server.invoices[top_up.gateway_id]["metadata"]["buyerEmail"] = payer
            return btcpay_says(btcpay_server.event("InvoiceSettled", top_up.gateway_id))


def test_by_their_card_whatever_address_they_give(ann: User, stripe_server: Any) -> None:
    deny("payer", CARD)
    before, top_up = balance(ann), start(ann, "stripe")
    session = stripe_server.pay(top_up.reference, customer_details={"email": "new@example.com"})
    for charge in stripe_server.charges.values():
        charge["payment_method_details"] = {"card": {"fingerprint": CARD}}

    assert stripe_tells(stripe_server, "checkout.session.completed", session) == 200

    assert held(top_up) == (TopUp.Status.REVIEW, 0, 0, True)
    assert balance(ann) == before
    assert hits() == [("payment", ann.email, CARD)]


def test_a_key_that_may_not_ask_for_cards_still_takes_payments(ann: User, stripe_server: Any) -> None:
    deny("payer", CARD)
    stripe_server.forbidden.add("charges")
    top_up = start(ann, "stripe")

    assert stripe_tells(stripe_server, "checkout.session.completed", stripe_server.pay(top_up.reference)) == 200

    assert status(top_up) == TopUp.Status.PAID


def test_when_the_gateway_is_asked_it_is_held_as_well(ann: User, stripe_server: Any) -> None:
    deny("payer", "eve@bad.example")
    top_up = start(ann, "stripe")
    stripe_server.pay(top_up.reference, customer_details={"email": "eve@bad.example"})

    apply_answer(top_up, enabled_gateways()["stripe"].ask(top_up), now=timezone.now())

    assert held(top_up) == (TopUp.Status.REVIEW, 0, 0, True)


def test_staff_confirms_what_is_right_and_it_is_credited_once(ann: User, sam: User) -> None:
    deny("payer", "eve@bad.example")
    before, top_up = balance(ann), start(ann, "demo")
    demo_says(top_up, State.PAID, payer="eve@bad.example")

    top_up.refresh_from_db()
    confirm_top_up(top_up=top_up, received_micros=top_up.pay_micros, actor=sam)
    demo_says(top_up, State.PAID, payer="eve@bad.example")

    assert status(top_up) == TopUp.Status.PAID
    assert balance(ann) == before + 10 * DOLLAR
    assert LedgerEntry.objects.filter(reference=f"top_up:{top_up.reference}").count() == 1
    assert audit(client=None, now=timezone.now()).problems == []


def test_what_was_credited_before_the_entry_stays(ann: User) -> None:
    before, top_up = balance(ann), start(ann, "demo")
    demo_says(top_up, State.PAID, payer="eve@bad.example")
    deny("payer", "eve@bad.example")

    demo_says(top_up, State.PAID, payer="eve@bad.example")

    assert status(top_up) == TopUp.Status.PAID
    assert balance(ann) == before + 10 * DOLLAR
    assert not hits()


def test_what_is_refunded_at_the_gateway_meanwhile_takes_nothing(ann: User) -> None:
    deny("payer", "eve@bad.example")
    before, top_up = balance(ann), start(ann, "demo")
    demo_says(top_up, State.PAID, payer="eve@bad.example")

    demo_says(top_up, State.REFUNDED)

    assert balance(ann) == before
    assert audit(client=None, now=timezone.now()).problems == []


def test_what_is_refunded_at_the_gateway_says_so_until_staff_declines_it(ann: User, sam: User) -> None:
    deny("payer", ann.email)
    before, top_up = balance(ann), start(ann, "demo")
    demo_says(top_up, State.PAID)

    demo_says(top_up, State.REFUNDED)
    demo_says(top_up, State.PAID)  # gateways repeat themselves

    assert status(top_up) == TopUp.Status.REVIEW
    assert "10" in top_up.attention
    assert "of it has been refunded at the gateway; nothing was credited." in top_up.attention
    assert balance(ann) == before
    decline_top_up(top_up=top_up, actor=sam)
    assert (status(top_up), top_up.attention, balance(ann)) == (TopUp.Status.DECLINED, "", before)
    assert len(hits()) == 1
