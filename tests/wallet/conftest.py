"""Gateways for the wallet's tests: stand-ins on real sockets, one of each for a test process."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from orders.accounting.audit.findings import AuditFindings
from orders.accounting.audit.manual_entries import check_moves_by_hand
from orders.accounting.audit.payments import check_payments
from orders.accounting.audit.two_people import check_two_people
from orders.accounting.audit.wallets import check_wallets
from tests.wallet import fake_btcpay, fake_stripe
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.fake_stripe import FakeStripe


@pytest.fixture
def stripe_server(settings: Any) -> Iterator[FakeStripe]:
    """Stripe as the shop knows it: configured, and with nothing sold yet."""
    server = FakeStripe()
    settings.STRIPE_API_URL = server.url
    settings.STRIPE_SECRET_KEY = fake_stripe.KEY
    settings.STRIPE_WEBHOOK_SECRET = fake_stripe.SECRET
    yield server
    server.close()


@pytest.fixture
def btcpay_server(settings: Any) -> Iterator[FakeBtcpay]:
    """A BTCPay Server that the shop is configured for."""
    server = FakeBtcpay()
    settings.BTCPAY_URL = server.url
    settings.BTCPAY_STORE_ID = fake_btcpay.STORE
    settings.BTCPAY_API_KEY = fake_btcpay.KEY
    settings.BTCPAY_WEBHOOK_SECRET = fake_btcpay.SECRET
    yield server
    server.close()


@pytest.fixture
def demo_gateway(settings: Any) -> None:
    """The demo gateway, which exists only with DEBUG on."""
    settings.DEBUG = True


@pytest.fixture
def transfers(settings: Any) -> None:
    """Transfers by hand are offered."""
    settings.MANUAL_TRANSFER_DETAILS = "IBAN XX00 1234\nExample Ltd"


@pytest.fixture
def in_another_thread() -> Callable[[Callable[[], Any]], Any]:
    """Run a step on a thread and a connection of its own and return what it returns."""

    def run(step: Callable[[], Any]) -> Any:
        def alone() -> Any:
            try:
                return step()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as threads:
            return threads.submit(alone).result(timeout=60)

    return run


@pytest.fixture
def audited(db: None) -> Iterator[None]:
    """Whatever happens in the test, what the audit compares of wallets and payments fits afterwards."""
    yield
    findings = AuditFindings()
    for check in (check_wallets, check_payments, check_moves_by_hand, check_two_people):
        check(findings)
    assert findings.problems == []
