"""The books: exact to the micro, days add up to months, by the shop's clock; and who may see them."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.accounting.audit import audit
from orders.accounting.report import (
    Line,
    days_of_month,
    months_of_year,
    report,
    summed,
)
from orders.attempts.answers import settle_attempt
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import Kind as OrderKind
from orders.models import LostAttempt, Order, Status, UpstreamBalance, UpstreamEntry
from tests.clock import stopped_at
from tests.orders.accounting.booking import at, pay, sell
from tests.orders.attention import make_lost
from wallet.models import LedgerEntry, Receivable

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
Kind = LedgerEntry.Kind
DOLLAR = 1_000_000
LATER = date(2030, 12, 31)
PAGE = "admin:orders_books_changelist"


@pytest.fixture
def two_months(book: Any, buyer: User, service: Service) -> None:
    """September and October 2024, by the micro."""
    pay(book, "manual", 50 * DOLLAR, at(9, 30))
    pay(book, "manual", 20 * DOLLAR, at(10, 1))
    card = pay(book, "stripe", 30 * DOLLAR, at(10, 1))
    book(Kind.TOP_UP, 1, at(10, 2), "nobody knows")
    book(Kind.BONUS, 3 * DOLLAR, at(10, 1), f"top_up:{card.reference}:bonus")
    book(Kind.CHARGE, -1_875_000, at(10, 1))
    book(Kind.DISCOUNT, 187_500, at(10, 1))
    book(Kind.CHARGE, -2_000_001, at(10, 31, 22))
    book(Kind.REFUND, 468_700, at(10, 3))
    book(Kind.REFERRAL, 12_345, at(10, 3))
    book(Kind.ADJUSTMENT, -DOLLAR, at(10, 4))
    book(Kind.WITHDRAWAL, -5 * DOLLAR, at(10, 4))
    book(Kind.REVERSAL, -7 * DOLLAR, at(10, 5), f"top_up:{card.reference}:reversed:1")
    owed = Receivable.objects.create(user=buyer, top_up=card, amount_micros=4 * DOLLAR, created_at=at(10, 5))
    book(Kind.REVERSAL, -DOLLAR, at(10, 6), f"receivable:{owed.pk}:1000000")
    sell(buyer, service, at(10, 1), charge_upstream_micros=1_500_001)
    sell(buyer, service, at(10, 1), charge_upstream_micros=1, exchange_rate_micros=1_100_001)
    sell(buyer, service, at(10, 31, 22))  # no charge named yet: what it should cost
    sell(buyer, service, at(10, 31, 22), upstream_id=None)  # not placed: no cost
    UpstreamEntry.objects.create(amount_upstream_micros=250 * DOLLAR, created_at=at(10, 6))


def days(month: int) -> list[Line]:
    return report(days_of_month(2024, month, until=LATER)).lines


def flows(line: Line) -> dict[str, Any]:
    """What a line says besides how things stood, without the zeros."""
    told = {name: value for name, value in vars(line).items() if name not in ("span", "liability", "receivables")}
    return {name: value for name, value in told.items() if value}


def test_report_of_a_month_puts_each_amount_on_its_day(two_months: None) -> None:
    lines = days(10)

    assert {line.span.first.day: flows(line) for line in lines if flows(line)} == {
        1: {
            "money_in": {"manual": 20 * DOLLAR, "stripe": 30 * DOLLAR},
            "bonus": 3 * DOLLAR,
            "sales": 1_875_000,
            "discounts": 187_500,
            "cost": 1_500_001 + 2,  # a micro at 1.100001, rounded up
        },
        2: {"money_in": {"?": 1}},
        3: {"refunds": 468_700, "referral": 12_345},
        4: {"by_hand": -DOLLAR, "withdrawn": 5 * DOLLAR},
        5: {"taken_back": 7 * DOLLAR, "newly_owed": 4 * DOLLAR},
        6: {"taken_back": DOLLAR, "newly_owed": -DOLLAR, "paid_in_upstream": 250 * DOLLAR},
        31: {"sales": 2_000_001, "cost": 1_500_000},
    }
    assert lines[0].margin == 1_875_000 - 187_500 - 1_500_003
    assert len(lines) == 31


def test_report_of_a_month_says_how_things_stood_at_the_end_of_each_day(two_months: None) -> None:
    lines = days(10)

    assert (lines[0].liability, lines[0].receivables) == (101_312_500, 0)
    assert [line.receivables for line in lines[4:6]] == [4 * DOLLAR, 3 * DOLLAR]
    total = sum(
        LedgerEntry.objects.filter(wallet__user__email="eve@example.com").values_list("amount_micros", flat=True)
    )
    assert lines[-1].liability == total


def test_report_of_a_year_says_the_same_of_a_month_as_its_days(two_months: None) -> None:
    september, october = (summed(days(month)) for month in (9, 10))
    months = {line.span.first.month: line for line in report(months_of_year(2024, until=LATER)).lines}

    for by_days, by_months in ((september, months[9]), (october, months[10])):
        assert vars(by_days) == vars(by_months)
    assert report(months_of_year(2024, until=LATER)).whole.sales == 3_875_001
    assert months[9].liability == 50 * DOLLAR


@pytest.mark.usefixtures("shop_in_berlin")
def test_report_counts_days_by_the_shops_clock(book: Any) -> None:
    book(Kind.CHARGE, -1, datetime(2024, 10, 31, 22, 59, tzinfo=UTC))  # 23:59 in Berlin, in winter time
    book(Kind.CHARGE, -10, datetime(2024, 10, 31, 23, 0, tzinfo=UTC))
    book(Kind.CHARGE, -100, datetime(2024, 9, 30, 22, 0, tzinfo=UTC))  # midnight, in summer time
    book(Kind.CHARGE, -1000, datetime(2024, 9, 30, 21, 59, tzinfo=UTC))

    october = days(10)

    assert [(line.span.first.day, line.sales) for line in october if line.sales] == [(1, 100), (31, 1)]
    assert (summed(october).sales, october[0].liability, october[-1].liability) == (101, -1100, -1101)


def test_report_asks_the_same_however_many_days(two_months: None, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(14):
        report(days_of_month(2024, 10, until=LATER))


def test_report_counts_what_upstream_has_twice_as_cost(buyer: User, service: Service) -> None:
    order = sell(buyer, service, at(10, 1), exchange_rate_micros=2 * DOLLAR)
    attempt = make_lost(order, status=order.status)
    loss = {"upstream_id": "77", "charge_upstream_micros": 400_000}
    assert settle_attempt(attempt, LostAttempt.State.LOSS, now=at(10, 2), **loss)

    assert [line.cost for line in days(10)[:2]] == [3 * DOLLAR, 800_000]


@pytest.mark.django_db(transaction=True)
def test_report_explains_the_upstream_balance_as_the_audit_does(place: Any, client_upstream: Any, sandbox: Any) -> None:
    orders = [place(quantity=1000) for _each in range(3)]
    for order in orders:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)
    placed = Order.objects.order_by("id").values_list("upstream_id", flat=True)
    before = UpstreamBalance.objects.create(amount_upstream_micros=995_500_000)
    sandbox.set_order(placed[0], status="Partial", remains=500)
    sandbox.set_order(placed[1], status="Canceled")
    poll_due(kind=OrderKind.SERVICE, client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=1)))
    assert Order.objects.filter(status__in=(Status.PARTIAL, Status.CANCELED)).count() == 2
    Order.objects.update(finished_at=timezone.now())  # not in an hour, as the poll had it
    books = dict(audit(client=client_upstream, now=timezone.now()).figures)
    assert books["upstream: charged for our orders"] == "4.50 USD"
    assert books["upstream: given back, as it says"] == "2.25 USD"

    now = timezone.localdate(timezone=timezone.get_default_timezone())
    earlier = report(days_of_month(now.year, now.month, until=now)).whole
    after = UpstreamBalance.objects.create(amount_upstream_micros=997_730_000, asked_at=timezone.now())
    later = report(days_of_month(now.year, now.month, until=now)).whole

    assert before.asked_at < after.asked_at
    assert (earlier.expected_upstream, earlier.balance_upstream) == (995_500_000, 995_500_000)
    assert (later.expected_upstream, later.unexplained_upstream) == (997_750_000, -20_000)
    assert books["upstream: balance expected"] == "997.75 USD"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


def test_books_page_shows_the_chosen_month_with_bars_and_sums(two_months: None, desk: Client) -> None:
    page = desk.get(reverse(PAGE), {"year": 2024, "month": 10})
    html = page.content.decode()

    assert page.context["whole"].sales == 3_875_001
    assert [bar.sales for bar in page.context["chart"]["bars"] if bar.sales] == [93, 100]
    assert html.count("<rect") == 62
    for words in ("Paid in via manual", "Paid in via stripe", "$3.875001", "In customers", "Unexplained", "Total"):
        assert words in html


def test_books_page_of_a_year_has_a_line_for_each_month(two_months: None, desk: Client) -> None:
    page = desk.get(reverse(PAGE), {"year": 2024, "month": 0})

    names = [row[0] for row in page.context["tables"][0]["table"]["rows"]]
    assert names[8:10] == ["September 2024", "October 2024"]
    assert names[-1] == "Total"


@pytest.mark.parametrize("asked", [{}, {"year": "1066", "month": "3"}, {"year": "x", "month": "-1"}, {"q": "1"}])
def test_books_page_when_asked_for_no_period_shows_this_month(desk: Client, asked: dict) -> None:
    page = desk.get(reverse(PAGE), asked)

    first = timezone.localdate(timezone=timezone.get_default_timezone()).replace(day=1)
    assert (page.status_code, page.context["whole"].span.first) == (200, first)


def test_books_download_is_the_same_table_for_programs(two_months: None, desk: Client) -> None:
    answer = desk.get(reverse(PAGE), {"year": 2024, "month": 10, "format": "csv"})
    text = answer.getvalue().decode("utf-8-sig")
    header, *rows = list(csv.reader(io.StringIO(text)))

    assert answer["Content-Disposition"] == 'attachment; filename="books-2024-10-01-2024-10-31.csv"'
    first = dict(zip(header, rows[0], strict=True))
    assert (first["From"], first["To"], first["Sales, USD"], first["Margin, USD"]) == (
        *("2024-10-01", "2024-10-01", "1.875", "0.187497"),
    )
    assert (first["Paid in via stripe, USD"], first["Unexplained difference, USD"]) == ("30.00", "")
    assert len(rows) == 31


def test_books_page_is_for_those_who_may_see_the_books(client: Client) -> None:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    client.force_login(clerk)

    assert client.get(reverse(PAGE)).status_code == 403
    assert client.get(reverse(PAGE), {"format": "csv"}).status_code == 403

    clerk.user_permissions.add(Permission.objects.get(codename="view_books"))
    assert client.get(reverse(PAGE)).status_code == 200
