"""The totals of each day: the same as the books to the micro, whatever they are added up by and whatever comes late."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import CustomerGroup, User
from catalog.models import Service
from orders.accounting.daily_totals import reckoning
from orders.accounting.daily_totals.dimensions import WHOLE, dimensions
from orders.accounting.daily_totals.keeping import (
    behind,
    days_due,
    keep_totals,
    note_changes,
    reckon_everything_again,
)
from orders.accounting.report import Span, report, sold_by_day
from orders.attempts.answers import settle_attempt
from orders.models import GatewayTotal, Length, LostAttempt, Order, Total
from tests.orders.accounting.booking import at, pay, sell
from tests.orders.accounting.october import NOW, keep, likes, october, wrong
from tests.orders.attention import make_lost
from wallet.models import LedgerEntry, Receivable

__all__ = ["likes", "october"]  # fixtures
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
Kind = LedgerEntry.Kind
Book = Callable[..., LedgerEntry]
DOLLAR = 1_000_000
OF_BOOKS = ("sales", "discounts", "refunds", "claim_refunds", "cost", "replacements")
AUTUMN = Span(date(2024, 9, 1), date(2024, 11, 5))


def kept(name: str, dimension: str = WHOLE, span: str = Length.DAY) -> dict[tuple[date, int], int]:
    """What is kept of a measure, by first day and key, without the zeros."""
    rows = Total.objects.filter(span=span, dimension=dimension).values_list("first", "key", name)
    return {(first, key): value for first, key, value in rows if value}


def by_day(name: str) -> dict[int, int]:
    return {first.day: value for (first, _key), value in kept(name).items()}


def assert_as_in_the_books(span: Span = AUTUMN) -> None:
    """Every day has the books' amounts, whatever it is added up by."""
    books = sold_by_day(span)
    assert any(line.cost for line in books.values())
    for day, line in books.items():
        for dimension in (WHOLE, *dimensions()):
            rows = Total.objects.filter(span=Length.DAY, first=day, dimension=dimension)
            sums = rows.aggregate(**{name: Sum(f"{name}_micros") for name in OF_BOOKS})
            assert sums == {name: getattr(line, name) for name in OF_BOOKS}, (day, dimension)
    days = Total.objects.filter(span=Length.DAY, dimension=WHOLE).values_list("first", flat=True)
    assert set(days) == books.keys()


def test_totals_have_what_the_books_have_by_whatever_they_are_added_up(october: list[Order]) -> None:
    keep()

    assert_as_in_the_books()
    assert by_day("sales_micros") == {1: 4 * 1_875_001, 2: 3 * 1_875_001}
    assert (by_day("refunds_micros"), by_day("claim_refunds_micros")) == ({3: 468_700}, {3: 100_000})
    assert by_day("replacements_micros") == {2: 8}  # 7 at 1.100003, rounded up


def test_totals_count_orders_on_the_day_they_were_sold_whenever_they_ended(october: list[Order]) -> None:
    keep()

    assert by_day("orders") == {1: 4, 2: 3}  # the replacement is none
    assert [by_day(name) for name in ("completed", "partial", "failed", "refunded")] == [{2: 1}] * 4
    assert by_day("done_seconds") == {2: 90 * 60}


def test_totals_of_services_customers_groups_and_categories(
    october: list[Order], service: Service, likes: Service, buyer: User, ann: User
) -> None:
    group = CustomerGroup.objects.create(name="Resellers", discount_percent=0)
    User.objects.filter(pk=buyer.pk).update(group=group)

    keep()

    first, second = date(2024, 10, 1), date(2024, 10, 2)
    sold = {(first, likes.pk): 4 * 1_875_001, (second, service.pk): 3 * 1_875_001}
    assert kept("sales_micros", "service") == sold
    assert kept("sales_micros", "category") == {
        (first, likes.category_id): 4 * 1_875_001,
        (second, service.category_id): 3 * 1_875_001,
    }
    assert kept("orders", "customer") == {(first, ann.pk): 4, (second, buyer.pk): 3}
    assert kept("orders", "group") == {(first, 0): 4, (second, group.pk): 3}
    assert kept("refunds_micros", "service") == {(date(2024, 10, 3), service.pk): 468_700}


def test_totals_of_keys_never_lose_a_micro_to_rounding(buyer: User, likes: Service, service: Service) -> None:
    for sold in (likes, service):  # 1.3 each: two each, if each was rounded up, but three together
        sell(buyer, sold, at(10, 1), charge_upstream_micros=1, exchange_rate_micros=1_300_000)
    sell(buyer, likes, at(10, 1), charge_upstream_micros=2**40, exchange_rate_micros=95 * DOLLAR + 1)

    keep()

    assert_as_in_the_books()


def test_expected_cost_stands_beside_the_real_one(buyer: User, service: Service) -> None:
    sell(buyer, service, at(10, 1), cost_upstream_micros=1_500_000, charge_upstream_micros=1_600_000)
    sell(buyer, service, at(10, 1), cost_upstream_micros=1_500_000)  # no charge was named yet
    sell(buyer, service, at(10, 1), upstream_id=None)  # never placed

    keep()

    assert (by_day("expected_micros"), by_day("cost_micros")) == ({1: 3_000_000}, {1: 3_100_000})


def test_what_upstream_has_twice_is_cost_of_the_day_it_was_found(buyer: User, service: Service) -> None:
    order = sell(buyer, service, at(10, 1), exchange_rate_micros=2 * DOLLAR)
    attempt = make_lost(order, status=order.status)
    loss = {"upstream_id": "77", "charge_upstream_micros": 400_001}
    assert settle_attempt(attempt, LostAttempt.State.LOSS, now=at(10, 2), **loss)

    keep()

    assert by_day("cost_micros") == {1: 3 * DOLLAR, 2: 800_002}
    assert by_day("expected_micros") == {1: 3 * DOLLAR}
    assert_as_in_the_books()


def test_ledger_rows_that_name_no_order_count_for_their_customer(book: Book, buyer: User) -> None:
    for number, reference in enumerate(("order:999999", "order:abc", "order:9999999999999999999999", "nonsense")):
        book(Kind.CHARGE, -1 - number, at(10, 1), reference)

    keep()

    assert kept("sales_micros", "customer") == {(date(2024, 10, 1), buyer.pk): 10}
    assert kept("sales_micros", "service") == {(date(2024, 10, 1), 0): 10}


@pytest.mark.usefixtures("shop_in_berlin")
def test_days_end_at_midnight_on_the_shops_clock(book: Book, buyer: User, service: Service) -> None:
    moments = [
        datetime(2024, 10, 31, 22, 59, 59, 999_999, tzinfo=UTC),  # a microsecond before midnight, in winter time
        datetime(2024, 10, 31, 23, 0, tzinfo=UTC),
        datetime(2024, 9, 30, 22, 0, tzinfo=UTC),  # midnight, in summer time
        datetime(2024, 9, 30, 21, 59, tzinfo=UTC),
    ]
    for number, moment in enumerate(moments):
        book(Kind.CHARGE, -(10**number), moment)
        sell(buyer, service, moment)

    keep()

    days = {(10, 31): 1, (11, 1): 10, (10, 1): 100, (9, 30): 1000}
    found = {(first.month, first.day): value for (first, _key), value in kept("sales_micros").items()}
    assert found == days
    assert {(first.month, first.day) for first, _key in kept("orders")} == set(days)
    months = {first.month: value for (first, _key), value in kept("sales_micros", span=Length.MONTH).items()}
    assert months == {9: 1000, 10: 101}


def test_another_clock_makes_all_days_due(october: list[Order], settings: Any) -> None:
    keep()
    assert behind(now=NOW) == 0

    settings.TIME_ZONE = "Asia/Tokyo"
    timezone.get_default_timezone.cache_clear()
    try:
        assert behind(now=NOW) > 30
        keep()
        assert behind(now=NOW) == 0
    finally:
        settings.TIME_ZONE = "UTC"
        timezone.get_default_timezone.cache_clear()


def test_a_late_charge_changes_the_day_of_the_sale_and_its_month(october: list[Order], settings: Any) -> None:
    settings.LATE_CHANGE_DAYS = 30
    keep()
    before = by_day("cost_micros")
    Order.objects.filter(pk=october[0].pk).update(charge_upstream_micros=2_000_001, polled_at=NOW)

    assert keep(NOW + timedelta(hours=1)) == 1 + 1 + 1  # today, that day, its month

    assert by_day("cost_micros") == {**before, 1: before[1] + 1_100_003}
    assert_as_in_the_books()
    month = Total.objects.get(span=Length.MONTH, dimension=WHOLE, first=date(2024, 10, 1))
    assert month.cost_micros == sum(by_day("cost_micros").values())


def test_a_late_refund_counts_on_its_own_day_and_for_the_orders_of_the_day_of_sale(
    october: list[Order], book: Book, ann: User, settings: Any
) -> None:
    settings.LATE_CHANGE_DAYS = 30
    keep()
    order = october[0]
    book(Kind.REFUND, 5_000, NOW, f"order:{order.pk}:refund:5000", user=ann)
    Order.objects.filter(pk=order.pk).update(refunded_micros=5_000)

    keep(NOW + timedelta(minutes=5))

    assert by_day("refunds_micros") == {3: 468_700, 5: 5_000}
    assert by_day("refunded") == {1: 1, 2: 1}
    assert_as_in_the_books()


def test_what_changes_long_afterwards_is_found_by_comparing_all_days(october: list[Order]) -> None:
    keep()
    later = NOW + timedelta(days=200)
    keep(later)
    Order.objects.filter(pk=october[0].pk).update(charge_upstream_micros=5)

    keep(later)
    assert sum(by_day("cost_micros").values()) != report([AUTUMN]).whole.cost
    assert note_changes() == 1
    keep(later)

    assert_as_in_the_books()


def test_a_late_change_is_added_up_again_in_its_month_and_quarter(buyer: User, service: Service) -> None:
    orders = [sell(buyer, service, at(month, 5), charge_upstream_micros=month) for month in (1, 2, 3, 4)]
    keep()
    assert kept("cost_micros", span=Length.QUARTER) == {(date(2024, 1, 1), 0): 6, (date(2024, 4, 1), 0): 4}

    Order.objects.filter(pk=orders[1].pk).update(charge_upstream_micros=100)
    note_changes()
    keep()

    assert kept("cost_micros", span=Length.QUARTER) == {(date(2024, 1, 1), 0): 104, (date(2024, 4, 1), 0): 4}
    assert kept("cost_micros", span=Length.MONTH)[date(2024, 2, 1), 0] == 100
    Total.objects.filter(span=Length.QUARTER, first=date(2024, 1, 1), dimension="service").update(orders=1)
    assert wrong() == ["totals of the quarter from 2024-01-01 by service are not what its days come to"]


def test_today_is_reckoned_again_until_it_has_been_over_for_a_while(book: Book) -> None:
    book(Kind.CHARGE, -1, at(11, 5, 10))
    keep(at(11, 5, 11))
    book(Kind.CHARGE, -10, at(11, 5, 23))

    keep(at(11, 6, 1))
    assert by_day("sales_micros") == {5: 11}
    assert days_due(now=at(11, 6, 1)) == [date(2024, 11, 6), date(2024, 11, 5)]
    keep(at(11, 6, 3))
    assert days_due(now=at(11, 6, 4)) == [date(2024, 11, 6)]


def test_a_run_without_time_leaves_the_rest_to_the_next(october: list[Order]) -> None:
    assert keep_totals(now=NOW, seconds=0) == 0
    assert behind(now=NOW) > 30

    keep()

    assert behind(now=NOW) == 0


def test_killed_in_the_middle_of_a_day_it_keeps_what_was_there(
    october: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep()
    before = list(Total.objects.order_by("pk").values())
    reckon_everything_again()

    def die(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reckoning, "_done", die)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        reckoning.reckon_day(date(2024, 10, 1), now=NOW)
    monkeypatch.undo()

    assert list(Total.objects.order_by("pk").values()) == before
    keep()
    assert_as_in_the_books()


def test_command_reckons_everything_anew(october: list[Order]) -> None:
    keep()
    Total.objects.filter(dimension="service", span=Length.DAY).update(sales_micros=1)

    told = StringIO()
    call_command("report_totals", "--rebuild", stdout=told)

    assert "the totals are those of the books" in told.getvalue()
    assert_as_in_the_books()


def test_payments_are_kept_by_gateway_as_in_the_ledger(book: Book, buyer: User) -> None:
    pay(book, "manual", 20 * DOLLAR, at(10, 1))
    card = pay(book, "stripe", 30 * DOLLAR, at(10, 1), fee_micros=900_000)
    book(Kind.TOP_UP, DOLLAR, at(10, 2), f"top_up:{card.reference}:more:31000000")
    book(Kind.BONUS, 3 * DOLLAR, at(10, 1), f"top_up:{card.reference}:bonus")
    book(Kind.TOP_UP, 1, at(10, 2), "nobody knows")
    book(Kind.REVERSAL, -7 * DOLLAR, at(10, 3), f"top_up:{card.reference}:reversed:1")
    book(Kind.REVERSAL, 2 * DOLLAR, at(10, 3), f"top_up:{card.reference}:returned:1")
    owed = Receivable.objects.create(user=buyer, top_up=card, amount_micros=4 * DOLLAR, created_at=at(10, 3))
    book(Kind.REVERSAL, -DOLLAR, at(10, 4), f"receivable:{owed.pk}:1000000")

    keep()

    columns = ("day", "gateway", "payments", "paid_in_micros", "fees_micros", "bonus_micros", "taken_back_micros")
    rows = [(day.day, *rest) for day, *rest in GatewayTotal.objects.order_by("day", "gateway").values_list(*columns)]
    assert rows == [
        (1, "manual", 1, 20 * DOLLAR, 0, 0, 0),
        (1, "stripe", 1, 30 * DOLLAR, 900_000, 3 * DOLLAR, 0),
        (2, "?", 0, 1, 0, 0, 0),
        (2, "stripe", 0, DOLLAR, 0, 0, 0),
        (3, "stripe", 0, 0, 0, 0, 5 * DOLLAR),
        (4, "stripe", 0, 0, 0, 0, DOLLAR),
    ]
    assert wrong() == []
