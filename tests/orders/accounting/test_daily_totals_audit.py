"""The audit holds the daily totals against the ledger and the orders."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.accounting.audit import audit
from orders.accounting.daily_totals.dimensions import WHOLE
from orders.models import GatewayTotal, Length, Order, Total
from tests.orders.accounting.booking import at, pay
from tests.orders.accounting.october import NOW, keep, likes, october, wrong
from wallet.models import LedgerEntry

__all__ = ["likes", "october"]  # fixtures
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
Kind = LedgerEntry.Kind
Book = Callable[..., LedgerEntry]
DOLLAR = 1_000_000


def test_audit_is_silent_when_the_totals_are_those_of_the_books(october: list[Order]) -> None:
    assert wrong() == []  # nothing was reckoned yet
    keep()

    assert wrong() == []
    assert ("totals: days compared", "35") in audit(client=None, now=timezone.now()).figures


@pytest.mark.parametrize(
    ("where", "change", "said"),
    [
        ({"dimension": WHOLE}, {"sales_micros": 1}, "totals of 2024-10-01: sales 0.000001, but the books say 7.500004"),
        ({"dimension": WHOLE}, {"cost_micros": 1}, "totals of 2024-10-01: cost 0.000001, but the books say 4.40003"),
        ({"dimension": WHOLE}, {"orders": 9}, "totals of 2024-10-01: orders 9, but the books say 4"),
        (
            {"dimension": "service"},
            {"sales_micros": 1},
            "totals of 2024-10-01 by service do not come to those of the day: sales 0.000001 instead of 7.500004",
        ),
        (
            {"dimension": "customer"},
            {"done_seconds": 5},
            "totals of 2024-10-01 by customer do not come to those of the day: done seconds 5 instead of 0",
        ),
    ],
)
def test_audit_names_a_total_that_was_changed(october: list[Order], where: Any, change: Any, said: str) -> None:
    keep()
    assert Total.objects.filter(first=date(2024, 10, 1), span=Length.DAY, **where).update(**change) == 1

    assert said in wrong()


def test_audit_names_a_month_and_a_payment_that_were_changed(october: list[Order], book: Book) -> None:
    pay(book, "manual", DOLLAR, at(10, 1))
    keep()
    Total.objects.filter(span=Length.MONTH, dimension="category").update(orders=77)
    GatewayTotal.objects.update(paid_in_micros=5)

    assert wrong() == [
        "totals of the month from 2024-10-01 by category are not what its days come to",
        "totals of payments: top_up 0.000005, but the ledger says 1.00",
    ]


def test_audit_leaves_to_the_task_what_upstream_changed_since(october: list[Order]) -> None:
    keep()
    Order.objects.filter(pk=october[0].pk).update(charge_upstream_micros=9, polled_at=NOW + timedelta(minutes=1))
    assert wrong() == []

    Order.objects.filter(pk=october[0].pk).update(polled_at=None)
    assert [problem.split(",")[0] for problem in wrong()] == ["totals of 2024-10-01: cost 4.40003"]


def test_audit_names_ledger_rows_that_were_put_into_a_day_that_is_over(october: list[Order], book: Book) -> None:
    keep()
    book(Kind.CHARGE, -5, at(10, 1))

    assert wrong() == ["totals of 2024-10-01: sales 7.500004, but the books say 7.500009"]
