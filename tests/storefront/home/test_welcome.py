"""A customer's own home page: how they stand, and nothing of anybody else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service, ServiceQuality
from catalog.operations.favorites import add_favorite
from orders.models import Status
from sms.models import Country, Number, Project
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words
from tests.storefront.admin_rows import make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, ann: User) -> Client:
    client.force_login(ann)
    return client


@pytest.fixture
def project() -> Project:
    country = Country.objects.create(code="us", name="USA")
    return Project.objects.create(upstream_id="1", country=country, name="Telegram", price_upstream_micros=500_000)


def number_of(user: User, project: Project, phone: str = "+15550100") -> Number:
    order = make_order(user, status=Status.PENDING)
    return Number.objects.create(order=order, project=project, phone=phone, state=Number.State.WAITING)


def test_welcome_shows_the_balance_and_open_orders_with_their_progress(desk: Client, ann: User) -> None:
    service = put_on_sale("Instagram Followers")
    ServiceQuality.objects.create(
        service=service, orders=50, completed=50, partial=0, refunded=0, done_seconds=7200, done_seconds_most=9000
    )
    make_order(ann, service=service, status=Status.PENDING, quantity=1000, remains=250)

    text = page_words(desk.get("/"))

    assert "Your balance $100.00" in text
    assert "Delivered 750 of 1,000" in text
    assert "About 2 hours left." in text


def test_welcome_shows_nothing_of_others(desk: Client, ben: User, project: Project) -> None:
    service = put_on_sale("Their service")
    make_order(ben, service=service, title="Their order", link="https://example.com/theirs")
    number_of(ben, project, "+15550199")
    add_favorite(ben, service)

    page = desk.get("/")

    shown = page.context["welcome"]
    assert (shown.open_orders, shown.last, shown.numbers, shown.favorites) == ([], [], [], [])
    assert "theirs" not in page.content.decode()
    assert "Your first order" in page_words(page)


def test_welcome_offers_the_last_order_of_each_service_again_filled_in(desk: Client, ann: User) -> None:
    service = put_on_sale("Instagram Followers")
    make_order(ann, service=service, status=Status.COMPLETED, quantity=500, link="https://instagram.com/older")
    newer = make_order(ann, service=service, status=Status.COMPLETED, quantity=700, link="https://instagram.com/newer")

    page = desk.get("/")

    assert [each.order.pk for each in page.context["welcome"].last] == [newer.pk]
    address = f"{reverse('orders:place', args=[service.pk])}?again={newer.pk}"
    assert f'href="{address}"' in page.content.decode()
    form = desk.get(address).context["form"]
    assert (form["quantity"].value(), form["link"].value()) == (700, "https://instagram.com/newer")


def test_welcome_offers_nothing_again_that_is_not_sold_any_more(desk: Client, ann: User) -> None:
    service = put_on_sale("Gone", withdrawn_at=timezone.now())
    make_order(ann, service=service, status=Status.COMPLETED)

    page = desk.get("/")

    assert "?again=" not in page.content.decode()
    assert "Followers" in page_words(page)


def test_welcome_shows_waiting_numbers_favorites_and_news(desk: Client, ann: User, project: Project) -> None:
    old = put_on_sale("Instagram Followers", first_seen_at=timezone.now() - timedelta(days=60))
    new = put_on_sale("Fresh from today")
    add_favorite(ann, old)
    number_of(ann, project)

    page = desk.get("/")

    shown = page.context["welcome"]
    assert [each.pk for each in shown.favorites] == [old.pk]
    assert [each.pk for each in shown.new] == [new.pk]
    assert "+15550100" in page_words(page)


def asked(captured: CaptureQueriesContext) -> int:
    """How many queries a page took, without those that a process makes by the clock, whatever it is asked."""
    by_the_clock = ("catalog_version", "preferences_")
    return sum(not any(table in query["sql"] for table in by_the_clock) for query in captured.captured_queries)


def test_welcome_asks_the_database_no_more_often_for_more_rows(desk: Client, ann: User, project: Project) -> None:
    def more(number: int) -> None:
        service = put_on_sale(f"Service {number}")
        make_order(ann, service=service, status=Status.PENDING, remains=1)
        make_order(ann, service=service, status=Status.COMPLETED)
        add_favorite(ann, service)
        number_of(ann, project, f"+1555010{number}")

    counts = []
    for language in ("en", "ru"):
        desk.cookies["django_language"] = language
        more(len(counts))
        desk.get("/")
        with CaptureQueriesContext(connection) as few:
            desk.get("/")
        for number in (3, 4, 5):
            more(number + 3 * len(counts))
        desk.get("/")
        with CaptureQueriesContext(connection) as many:
            desk.get("/")
        counts.append((asked(few), asked(many)))

    assert all(few == many for few, many in counts), counts


def test_welcome_is_never_cached_and_visitors_still_see_the_shop_window(desk: Client, ann: User) -> None:
    put_on_sale("A")

    page = desk.get("/")

    assert "no-store" in page["Cache-Control"]
    assert "$100.00" not in Client().get("/").content.decode()
    assert Service.objects.count() == 1
