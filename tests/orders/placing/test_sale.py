"""A sale is written at once: all of it or nothing, and a repeat finds what it made whatever has changed since."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fast_queries.insert_parts import InsertPart
from catalog.models import Service
from orders.lifecycle.discounts import Discount
from orders.models import Checkout, HoldReason, Order, OrderEvent
from orders.placing.place import take_payment
from orders.placing.refusals import MoneyOwed, OrderRefused, RequestIdReused
from orders.placing.sale import write_sale
from wallet.models import LedgerEntry, Receivable, Wallet
from wallet.operations import AlreadyBooked, InsufficientFunds

pytestmark = pytest.mark.sqlite
NOW = timezone.now()


def written() -> list[int]:
    """Return how many rows there are of all that a sale writes, but for the opening balance."""
    charges = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CHARGE)
    return [rows.count() for rows in (Checkout.objects, Order.objects, charges, OrderEvent.objects)]


def a_draft(user, service, **fields) -> Order:
    """Return an order and its checkout, neither of them saved."""
    checkout = Checkout(user=user, request_id=uuid.uuid4().hex, fingerprint=64 * "0")
    asked = {"title": service.title, "quantity": 1000, "link": "https://x.com/a?b=%s%%", "price_micros": 1_875_000}
    rates = {"rate_micros": 1_875_000, "rate_upstream_micros": 1_500_000, "rate_per": 1000}
    rates["cost_upstream_micros"] = 1_500_000
    return Order(user=user, checkout=checkout, service=service, created_at=NOW, **asked, **rates, **fields)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no statement that writes five tables")
def test_place_order_asks_the_server_twice_between_begin_and_commit(place):
    place()  # the wallet, and what is put together once

    with CaptureQueriesContext(connection) as asked:
        place(request_id=uuid.uuid4().hex)

    # Rules and sale; the test's own transaction makes a savepoint of BEGIN and COMMIT.
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 2


def test_write_sale_writes_what_the_steps_would_have_written(ann, ben, service):
    """Every column: the order of one customer by the one way, of another by the other."""
    steps, at_once = (a_draft(user, service, pricing={"percent": "25"}) for user in (ben, ann))

    # A discount of nothing goes step by step on any database.
    with pytest.raises(ValueError, match="above zero"), transaction.atomic():
        take_payment(steps, Discount("NONE", 0, steps.price_micros), now=NOW)
    take_payment(steps := a_draft(ben, service, pricing={"percent": "25"}), _discount(steps), now=NOW)
    write_sale(at_once, now=NOW)

    own = {"id", "user_id", "checkout_id"}
    first, second = (Order.objects.filter(pk=order.pk).values().get() for order in (steps, at_once))
    assert {key: value for key, value in first.items() if key not in own} == {
        key: value for key, value in second.items() if key not in own
    }
    assert at_once.checkout_id == Checkout.objects.get(user=ann).pk
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - 1_875_000
    entry = LedgerEntry.objects.get(wallet__user=ann, kind=LedgerEntry.Kind.CHARGE)
    assert (entry.amount_micros, entry.reference) == (-1_875_000, f"order:{at_once.pk}")
    assert (entry.note, entry.created_by_id) == (service.title[:300], None)
    event = OrderEvent.objects.get(order=at_once)
    assert (event.code, event.status, event.created_at, event.evidence) == ("placed", "paid", NOW, {})
    assert event.data == {"price_micros": 1_875_000, "quantity": 1000}
