"""The reports at the admin: what they show, beside what, in which order, to whom, and as CSV."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.accounting.daily_totals.dimensions import dimensions
from orders.accounting.daily_totals.keeping import keep_totals
from orders.accounting.daily_totals.reading import Reader, span_before
from orders.accounting.report import Span, report
from orders.models import Length, Order, Status, TotalSpan
from tests.orders.accounting.booking import pay, sell
from tests.orders.accounting.october import likes
from wallet.models import LedgerEntry

__all__ = ["likes"]  # a fixture
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
PAGE, SERVICES = "admin:orders_reports", "admin:orders_service_report"
Kind = LedgerEntry.Kind
Book = Callable[..., LedgerEntry]
TODAY = timezone.localdate()


def noon(days_ago: int) -> Any:
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)


@pytest.fixture
def sold(book: Book, buyer: User, ann: User, service: Service, likes: Service) -> list[Order]:
    """Three orders of the last days, and one of the month before."""
    made = []
    for user, what, days_ago, price, cost in (
        (ann, service, 3, 2_005_000, 1_500_000),
        (buyer, likes, 3, 1_000_000, 1_200_000),  # at a loss
        (buyer, service, 2, 4_000_000, 1_500_000),
        (buyer, service, 35, 1_000_000, 500_000),
    ):
        order = sell(user, what, noon(days_ago), charge_upstream_micros=cost, cost_upstream_micros=1_000_000)
        book(Kind.CHARGE, -price, noon(days_ago), f"order:{order.pk}", user=user)
        made.append(order)
    book(Kind.REFUND, 500_000, noon(1), f"order:{made[2].pk}:refund:500000")
    keep_totals(now=timezone.now(), seconds=600)
    return made


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


def rows(desk: Client, **asked: str) -> list[tuple[str, dict[str, str]]]:
    table = desk.get(reverse(PAGE), asked).context["table"]
    return [(row.title, dict(row.titled)) for row in table.rows]


def csv_rows(desk: Client, name: str = PAGE, **asked: str) -> list[list[str]]:
    answer = desk.get(reverse(name), {**asked, "format": "csv"})
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_report_by_day_shows_the_books_to_the_cent_the_newest_first(desk: Client, sold: list[Order]) -> None:
    page = desk.get(reverse(PAGE))
    html = page.content.decode()

    cells = [(row.title, dict(row.titled)) for row in page.context["table"].rows if row.bar or "$0.50" in row.cells]
    assert [row["Sales"] for _title, row in cells] == ["$0.00", "$4.00", "$3.01"]  # 3.005, half a cent up
    assert [row["Margin"] for _title, row in cells] == ["-$0.50", "$2.50", "$0.31"]
    assert cells[2][1]["Above expected"] == "$0.70"
    assert len(page.context["table"].rows) == 30
    assert html.count("<rect") >= 60  # the drawing; under the names nothing is drawn
    books = report([Span(TODAY - timedelta(days=29), TODAY)]).whole
    assert Reader(books.span).whole().margin_micros == books.margin


def test_report_says_what_changed_since_the_period_before(desk: Client, sold: list[Order]) -> None:
    figures = {figure.title: figure for figure in desk.get(reverse(PAGE)).context["figures"]}

    assert (figures["Sales"].now, figures["Sales"].before, figures["Sales"].change) == ("$7.01", "$1.00", "+600%")
    assert (figures["Margin"].now, figures["Margin"].before, figures["Margin"].good) == ("$2.31", "$0.50", True)
    assert (figures["Refunds"].now, figures["Refunds"].good) == ("$0.50", False)
    assert (figures["Orders"].now, figures["Orders"].before) == ("3", "1")


def test_report_by_service_has_links_bars_and_what_was_before(
    desk: Client, sold: list[Order], service: Service, likes: Service
) -> None:
    page = desk.get(reverse(PAGE), {"by": "service"})
    table = page.context["table"]

    assert [row.title for row in table.rows] == [service.title, likes.title]
    assert dict(table.rows[0].titled)["Margin before"] == "$0.50"
    assert dict(table.rows[1].titled) == {
        "Orders": "1", "Sales": "$1.00", "Refunds": "$0.00", "Expected cost": "$1.00", "Real cost": "$1.20",
        "Above expected": "$0.20", "Margin": "-$0.20", "Margin, %": "-20%", "Margin before": "$0.00",
    }  # fmt: skip
    assert [row.bar for row in table.rows] == [100, 16]
    assert table.rows[0].link == reverse("admin:catalog_service_change", args=[service.pk])
    behind = desk.get(table.rows[0].orders_link)
    assert [order.pk for order in behind.context["cl"].result_list] == [sold[2].pk, sold[0].pk]


@pytest.mark.parametrize(
    ("sort", "first"), [("margin", "Instagram"), ("-margin", "Likes"), ("-sales", "Likes"), ("x", "Instagram")]
)
def test_report_is_sorted_as_asked(desk: Client, sold: list[Order], sort: str, first: str) -> None:
    assert rows(desk, by="service", sort=sort)[0][0].startswith(first)


@pytest.mark.parametrize("by", ["category", "customer", "group", "week", "month", "country", "site", "gateway", "x"])
def test_report_by_each_thing_comes_to_the_same_sales(desk: Client, sold: list[Order], by: str) -> None:
    found = csv_rows(desk, by=by)

    if by in ("country", "site", "gateway"):
        assert len(found) == 1  # no numbers were sold, nothing was paid in
    else:
        column = found[0].index("Sales, USD")
        assert sum(round(float(row[column]) * 100) for row in found[1:]) in (700, 701)


def test_report_by_customer_names_them_to_whoever_may_see_customers(
    desk: Client, sold: list[Order], buyer: User, client: Client
) -> None:
    assert {title for title, _row in rows(desk, by="customer")} == {"eve@example.com", "ann@example.com"}

    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_books"))
    client.force_login(clerk)
    page = client.get(reverse(PAGE), {"by": "customer"})

    assert page.status_code == 200
    assert "eve@example.com" not in page.content.decode()
    assert [name for name, _title in page.context["form"].choices] == ["day", "week", "month", "gateway"]


@pytest.mark.parametrize("name", [PAGE, SERVICES])
def test_reports_are_refused_to_whoever_may_not_see_the_books(client: Client, name: str) -> None:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_service"))
    client.force_login(clerk)

    assert client.get(reverse(name)).status_code == 403
    assert client.get(reverse(name), {"format": "csv"}).status_code == 403


def test_csv_has_plain_amounts_of_two_decimals_for_every_line(desk: Client, sold: list[Order], likes: Service) -> None:
    found = csv_rows(desk, by="service")

    assert found[0] == [
        *("ID", "Service", "Orders", "Sales, USD", "Refunds, USD", "Expected cost, USD", "Real cost, USD"),
        *("Above expected, USD", "Margin, USD", "Margin, %", "Margin before, USD"),
    ]
    assert found[2] == [str(likes.pk), likes.title, "1", "1.00", "0.00", "1.00", "1.20", "0.20", "-0.20", "-20", "0.00"]


def test_csv_by_day_has_every_day(desk: Client, sold: list[Order]) -> None:
    found = csv_rows(desk, first="2024-01-01", last="2024-12-31")

    assert (len(found), found[1][:2], found[-1][0]) == (367, ["2024-01-01", "2024-01-01"], "2024-12-31")


def test_report_of_gateways(desk: Client, book: Book, buyer: User) -> None:
    card = pay(book, "stripe", 30_000_000, noon(1), fee_micros=900_000)
    book(Kind.REVERSAL, -7_000_000, noon(1), f"top_up:{card.reference}:reversed:1")
    keep_totals(now=timezone.now(), seconds=600)

    ((title, row),) = rows(desk, by="gateway")

    assert title == "stripe"
    assert row == {
        "Payments": "1", "Paid in": "$30.00", "Fees": "$0.90", "Bonus": "$0.00", "Taken back": "$7.00",
        "Left": "$23.00",
    }  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [{"first": "x"}, {"first": "2024-02-01", "last": "2024-01-01"}, {"first": "1000-01-01", "last": "2024-01-01"}],
)
def test_report_of_no_period_shows_the_last_thirty_days_and_says_so(desk: Client, asked: dict[str, str]) -> None:
    page = desk.get(reverse(PAGE), asked)

    assert "Showing the last 30 days." in page.content.decode()
    assert len(page.context["table"].rows) == 30


def test_report_says_what_to_do_when_there_are_no_totals(desk: Client, book: Book) -> None:
    assert "Nothing was sold in this period" in desk.get(reverse(PAGE)).content.decode()  # nor ever

    book(Kind.CHARGE, -1_000_000, noon(40))
    assert "manage.py report_totals" in desk.get(reverse(PAGE)).content.decode()

    keep_totals(now=timezone.now(), seconds=600)
    assert "Nothing was sold in this period" in desk.get(reverse(PAGE)).content.decode()
    TotalSpan.objects.filter(span=Length.DAY, first=TODAY - timedelta(days=2)).update(reckoned_at=None)
    assert "1 day of this period is still to be reckoned" in desk.get(reverse(PAGE)).content.decode()
    year = {"first": (TODAY - timedelta(days=364)).isoformat()}
    assert "1 day of this period is still to be reckoned" in desk.get(reverse(PAGE), year).content.decode()


@pytest.mark.parametrize("name", dimensions())
def test_list_of_orders_takes_what_the_reports_lead_to_it_with(desk: Client, sold: list[Order], name: str) -> None:
    page = desk.get(reverse("admin:orders_order_changelist"), {dimensions()[name].orders: "1"})

    assert page.status_code == 200


def test_report_of_whole_months_reads_months_and_says_the_same_as_their_days(
    desk: Client, book: Book, buyer: User, service: Service
) -> None:
    for month in range(1, 13):
        for day in (1, 28):
            when = noon(0).replace(year=2023, month=month, day=day)
            order = sell(buyer, service, when, charge_upstream_micros=month)
            book(Kind.CHARGE, -1_000_000 - day, when, f"order:{order.pk}")
    keep_totals(now=timezone.now(), seconds=600)

    span = Span(date(2023, 1, 15), date(2023, 12, 10))
    by_months = Reader(span).by_thing("service", sort="sales", limit=5)
    TotalSpan.objects.filter(span=Length.MONTH).update(reckoned_at=None)
    by_days = Reader(span).by_thing("service", sort="sales", limit=5)

    assert by_months == by_days
    assert (by_days[0].orders, by_days[0].sales_micros) == (22, 22_000_000 + 11 * 28 + 11)


def test_period_before_is_as_many_days_or_whole_months() -> None:
    year, month = Span(date(2024, 1, 1), date(2024, 12, 31)), Span(date(2024, 3, 1), date(2024, 3, 31))

    assert span_before(year) == Span(date(2023, 1, 1), date(2023, 12, 31))
    assert span_before(month) == Span(date(2024, 2, 1), date(2024, 2, 29))
    assert span_before(Span(date(2024, 3, 5), date(2024, 3, 7))) == Span(date(2024, 3, 2), date(2024, 3, 4))


@pytest.mark.parametrize("by", ["day", "service", "customer", "country", "gateway"])
def test_report_asks_the_same_however_much_was_sold(
    desk: Client, sold: list[Order], by: str, django_assert_max_num_queries: Any
) -> None:
    desk.get(reverse(PAGE), {"by": by})
    with django_assert_max_num_queries(25):
        desk.get(reverse(PAGE), {"by": by})


# --- Services that do badly -----------------------------------------------------------------------------------------
@pytest.fixture
def bad(buyer: User, service: Service, likes: Service) -> None:
    """Likes take three hours and fail once in four; one of the followers' four was given back in part."""
    for number in range(4):
        failed = Status.CANCELED if number == 0 else Status.COMPLETED
        slow = sell(buyer, likes, noon(2), status=failed, refunded_micros=1_875_000 if number == 0 else 0)
        fast = sell(buyer, service, noon(2), status=Status.COMPLETED, refunded_micros=1 if number == 1 else 0)
        Order.objects.filter(pk=slow.pk).update(finished_at=noon(2) + timedelta(hours=3))
        Order.objects.filter(pk=fast.pk).update(finished_at=noon(2) + timedelta(minutes=10))
    keep_totals(now=timezone.now(), seconds=600)


def test_services_that_do_badly_are_listed_where_there_were_enough_orders(
    desk: Client, bad: None, service: Service, likes: Service
) -> None:
    lists = {one["title"]: one["table"].rows for one in desk.get(reverse(SERVICES), {"least": "4"}).context["lists"]}

    assert [(row.title, row.cells[2]) for row in lists["Slow"]] == [(likes.title, "3 h"), (service.title, "10 min")]
    assert [(row.title, row.cells[1:3]) for row in lists["Failing"]] == [(likes.title, ["1", "25%"])]
    assert {(row.title, row.cells[2]) for row in lists["Often refunded"]} == {
        (likes.title, "25%"), (service.title, "25%"),
    }  # fmt: skip
    page = desk.get(reverse(SERVICES), {"least": "5"}).content.decode()
    assert page.count("No service with 5 orders or more") == 3


def test_services_that_do_badly_as_csv(desk: Client, bad: None, likes: Service) -> None:
    found = csv_rows(desk, SERVICES, least="4", list="slow")

    assert found[0] == ["ID", "Service", "Orders", "Completed orders", "Time to completion, seconds", "Sales, USD"]
    assert found[1] == [str(likes.pk), "Likes", "4", "3", "10800", "0.00"]


def test_services_page_when_the_least_is_nonsense_takes_the_usual(desk: Client, bad: None) -> None:
    page = desk.get(reverse(SERVICES), {"least": "-3"})

    assert (page.status_code, page.context["least"]) == (200, 20)
