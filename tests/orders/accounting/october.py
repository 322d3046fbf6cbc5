"""What was sold on two days of an October, and the totals of its days."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, Service
from orders.accounting.audit import audit
from orders.accounting.daily_totals.keeping import keep_totals
from orders.models import Order, Status
from tests.orders.accounting.booking import at, sell
from wallet.models import LedgerEntry

Kind = LedgerEntry.Kind
Book = Callable[..., LedgerEntry]
NOW = at(11, 5)


def keep(now: datetime = NOW) -> int:
    """Keep the totals of all days that are due; return of how many."""
    return keep_totals(now=now, seconds=600)


def wrong() -> list[str]:
    """What the audit says of the totals."""
    return [problem for problem in audit(client=None, now=timezone.now()).problems if problem.startswith("totals")]


@pytest.fixture
def likes(service: Service) -> Service:
    """Another service, of another category."""
    category = Category.objects.create(name="Likes")
    values = {"upstream_id": 900_002, "category": category, "name": "Likes", "type": "Default"}
    return Service.objects.create(
        **values, rate_upstream_micros=1_500_000, min_quantity=1, max_quantity=10_000, search_text="likes"
    )


@pytest.fixture
def october(book: Book, buyer: User, ann: User, service: Service, likes: Service) -> list[Order]:
    """Seven orders of two customers and two services on two days, at an odd rate; some of it was given back."""
    orders = []
    for number in range(7):
        user, sold = (buyer, service) if number % 2 else (ann, likes)
        when = at(10, 1 + number % 2)
        order = sell(user, sold, when, charge_upstream_micros=1_000_001 + number, exchange_rate_micros=1_100_003)
        book(Kind.CHARGE, -1_875_001, when, f"order:{order.pk}", user=user)
        orders.append(order)
    book(Kind.DISCOUNT, 187_500, at(10, 1), f"order:{orders[0].pk}:coupon", user=ann)
    book(Kind.REFUND, 468_700, at(10, 3), f"order:{orders[1].pk}:refund:468700", user=buyer)
    book(Kind.REFUND, 100_000, at(10, 3), f"order:{orders[2].pk}:refund:100000:claim", user=ann)
    one, half, gone = orders[3], orders[1], orders[5]
    Order.objects.filter(pk=half.pk).update(status=Status.PARTIAL, refunded_micros=468_700, finished_at=at(10, 3))
    Order.objects.filter(pk=one.pk).update(status=Status.COMPLETED, finished_at=at(10, 2) + timedelta(minutes=90))
    Order.objects.filter(pk=gone.pk).update(status=Status.CANCELED, finished_at=at(10, 4))
    sell(
        ann,
        likes,
        at(10, 2),
        price_micros=0,
        original=orders[2],
        charge_upstream_micros=7,
        exchange_rate_micros=1_100_003,
    )
    return orders
