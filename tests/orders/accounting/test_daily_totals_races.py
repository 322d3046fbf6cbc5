"""Several processes at the totals at once: each day is what one of them would have written."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection

from accounts.models import User
from catalog.models import Service
from orders.accounting.daily_totals.comparing import differing_days
from orders.accounting.daily_totals.keeping import behind, keep_totals, reckon_everything_again
from orders.accounting.daily_totals.reckoning import add_up, reckon_day
from orders.accounting.report import Span
from orders.models import Length, Total
from tests.orders.accounting.booking import at, sell
from wallet.models import LedgerEntry

pytestmark = pytest.mark.django_db(transaction=True)
NOW = at(11, 5)
OCTOBER = Span(date(2024, 10, 1), date(2024, 10, 31))


@pytest.fixture
def october(book: Callable[..., LedgerEntry], buyer: User, service: Service) -> None:
    for day in range(1, 13):
        order = sell(buyer, service, at(10, day), charge_upstream_micros=1_000_000 + day)
        book(LedgerEntry.Kind.CHARGE, -1_875_000, at(10, day), f"order:{order.pk}")


def by_itself(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        connection.close()


def rows() -> list[tuple[object, ...]]:
    return list(
        Total.objects.order_by("span", "first", "dimension", "key").values_list(
            "span", "first", "dimension", "key", "sales_micros", "cost_micros", "orders"
        )
    )


def test_two_rebuilds_of_everything_at_once_write_each_total_once(october: None) -> None:
    keep_totals(now=NOW, seconds=600)
    alone = rows()
    reckon_everything_again()

    with ThreadPoolExecutor(3) as threads:
        runs = [threads.submit(by_itself, lambda: keep_totals(now=NOW, seconds=600)) for _each in range(3)]
        for run in runs:
            run.result(timeout=120)

    assert rows() == alone
    assert differing_days(OCTOBER) == {}
    assert behind(now=NOW) == 0


def test_a_month_that_is_added_up_while_its_days_change_is_added_up_again(
    october: None, book: Callable[..., LedgerEntry]
) -> None:
    keep_totals(now=NOW, seconds=600)
    book(LedgerEntry.Kind.CHARGE, -1, at(10, 5))

    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(by_itself, lambda: add_up(Length.MONTH, OCTOBER.first, now=NOW)) for _each in range(4)]
        runs += [
            threads.submit(by_itself, lambda day=day: reckon_day(date(2024, 10, day), now=NOW)) for day in range(1, 13)
        ]
        for run in runs:
            run.result(timeout=120)
    keep_totals(now=NOW, seconds=600)

    month = Total.objects.get(span=Length.MONTH, dimension="all", first=OCTOBER.first)
    assert month.sales_micros == 12 * 1_875_000 + 1
    assert differing_days(OCTOBER) == {}
