"""The whole way over real sockets: the vendor's stand-in posts its webhook to a running shop, which asks it back."""

import urllib.error
import urllib.request
from typing import Any

import pytest

from accounts.models import User
from tests.wallet import fake_btcpay, fake_stripe
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.fake_stripe import FakeStripe
from tests.wallet.paying import DOLLAR, balance, outcomes, start

pytestmark = pytest.mark.django_db(transaction=True)


def post(address: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(address, body, {"Content-Type": "application/json", **headers})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own server
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_webhooks_when_they_come_over_the_network_credit_once_each(
    live_server: Any, ann: User, stripe_server: FakeStripe, btcpay_server: FakeBtcpay
) -> None:
    card, coins = start(ann, "stripe"), start(ann, "btcpay", 20)
    paid = stripe_server.event("checkout.session.completed", stripe_server.pay(card.reference))
    btcpay_server.becomes(coins.reference, "Settled")
    settled = btcpay_server.event("InvoiceSettled", coins.gateway_id)
    proofs = [
        ("stripe", paid, {"Stripe-Signature": fake_stripe.signature(paid)}),
        ("btcpay", settled, {"BTCPay-Sig": fake_btcpay.signature(settled)}),
        ("stripe", paid, {"Stripe-Signature": fake_stripe.signature(settled)}),
        ("btcpay", settled, {"BTCPay-Sig": fake_btcpay.signature(paid)}),
        ("btcpay", 70_000 * b"x", {}),
    ]

    answers = [post(f"{live_server.url}/wallet/callbacks/{name}", body, headers) for name, body, headers in proofs * 2]

    assert answers == [200, 200, 400, 400, 413] * 2
    assert outcomes() == ["applied", "applied", "refused", "refused", "repeated", "repeated", "refused", "refused"]
    assert balance(ann) == 130 * DOLLAR
