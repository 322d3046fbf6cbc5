"""Steps that the tests of payments share."""

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.wallet import fake_btcpay, fake_stripe
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.fake_stripe import FakeStripe
from wallet.gateways.demo import demo_event, demo_headers
from wallet.models import GatewayEvent, LedgerEntry, TopUp, Wallet
from wallet.operations import start_top_up

DOLLAR = 1_000_000


def start(user: User, gateway: str, dollars: int = 10) -> TopUp:
    return start_top_up(user=user, gateway=gateway, amount_micros=dollars * DOLLAR)


def knock(gateway: str, body: bytes, headers: dict[str, str]) -> int:
    """Post a callback as a stranger and return the answer's status."""
    address = reverse("wallet:callback", args=[gateway])
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def stripe_says(body: bytes, **signed: Any) -> int:
    return knock("stripe", body, {"Stripe-Signature": fake_stripe.signature(body, **signed)})


def btcpay_says(body: bytes, **signed: Any) -> int:
    return knock("btcpay", body, {"BTCPay-Sig": fake_btcpay.signature(body, **signed)})


def stripe_tells(server: FakeStripe, kind: str, about: dict[str, Any]) -> int:
    """An event about something at Stripe."""
    return stripe_says(server.event(kind, about))


def stripe_paid(user: User, server: FakeStripe) -> TopUp:
    """Ten dollars that have been paid through Stripe."""
    top_up = start(user, "stripe")
    assert stripe_tells(server, "checkout.session.completed", server.pay(top_up.reference)) == 200
    return top_up


def btcpay_paid(user: User, server: FakeBtcpay) -> TopUp:
    """Ten dollars that have been paid in bitcoin."""
    top_up = start(user, "btcpay")
    server.becomes(top_up.reference, "Settled")
    assert btcpay_says(server.event("InvoiceSettled", top_up.gateway_id)) == 200
    return top_up


def status(top_up: TopUp) -> str:
    """How the payment stands now."""
    top_up.refresh_from_db()
    return top_up.status


def demo_says(top_up: TopUp, state: Any, **changes: Any) -> int:
    """The demo bank says something of a payment, properly signed; DEBUG is on."""
    body = demo_event(top_up, state, **changes)
    return knock("demo", body, demo_headers(body))


def balance(user: User) -> int:
    """What is in the wallet, in micros; it equals the ledger's sum or the test fails."""
    wallet = Wallet.objects.get(user=user)
    assert sum(LedgerEntry.objects.filter(wallet=wallet).values_list("amount_micros", flat=True)) == (
        wallet.balance_micros
    )
    return wallet.balance_micros


def rows(user: User) -> list[tuple[str, int]]:
    """The ledger rows that payments made, oldest first: kind and dollars' micros."""
    kinds = [LedgerEntry.Kind.TOP_UP, LedgerEntry.Kind.BONUS, LedgerEntry.Kind.REVERSAL]
    entries = LedgerEntry.objects.filter(wallet__user=user, kind__in=kinds).order_by("pk")
    return list(entries.values_list("kind", "amount_micros"))


def outcomes() -> list[str]:
    """What became of the callbacks so far, oldest first."""
    return list(GatewayEvent.objects.order_by("pk").values_list("outcome", flat=True))
