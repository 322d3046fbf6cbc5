"""Rows of the books as tests need them: of chosen moments, with chosen amounts."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from catalog.models import Service
from orders.models import Order
from wallet.models import LedgerEntry, TopUp


def at(month: int, day: int, hour: int = 12) -> datetime:
    """Return an hour of 2024."""
    return datetime(2024, month, day, hour, tzinfo=UTC)


def pay(book: Any, gateway: str, micros: int, when: datetime, **fields: int) -> TopUp:
    """Book a payment of Eve's."""
    user = User.objects.get(email="eve@example.com")
    top_up = TopUp.objects.create(
        user=user,
        gateway=gateway,
        currency="USD",
        amount_micros=micros,
        pay_micros=micros + fields.get("fee_micros", 0),
        status="paid",
        **fields,
    )
    book(LedgerEntry.Kind.TOP_UP, micros, when, f"top_up:{top_up.reference}")
    return top_up


def sell(buyer: User, service: Service, when: datetime, **fields: Any) -> Order:
    """Make an order that upstream has; the ledger knows nothing of it."""
    values = {
        "title": "x",
        "quantity": 1000,
        "price_micros": 1_875_000,
        "rate_micros": 1_875_000,
        "rate_upstream_micros": 1_500_000,
        "rate_per": 1000,
        "cost_upstream_micros": 1_500_000,
        "upstream_id": str(Order.objects.count() + 1),
        "sent_at": when,
    }
    return Order.objects.create(user=buyer, service=service, created_at=when, **{**values, **fields})
