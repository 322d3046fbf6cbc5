"""The page that asks how many pieces a rate buys: both readings side by side, real examples, one click."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, Service
from orders.models import Order, Status
from orders.placing.place import place_order
from tests.catalog.listing_rows import put_on_sale

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_url() -> str:
    return reverse("admin:orders_rateunitquestion_changelist")


@pytest.fixture
def desk(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def clerk(client: Client, sam: User) -> User:
    """Sam as one of the staff who may do only what they were given."""
    User.objects.filter(pk=sam.pk).update(is_superuser=False)
    client.force_login(sam)
    return sam


@pytest.fixture
def aged() -> Service:
    service = put_on_sale("Aged accounts", category="Accounts", rate_upstream_micros=450_000, min_quantity=2)
    Category.objects.filter(pk=service.category_id).update(rate_confirmed_at=None, rate_per=1)
    return Service.objects.select_related("category").get(pk=service.pk)


def words(page: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


def test_page_when_a_unit_is_not_confirmed_shows_both_readings_of_real_services(
    desk: Client, page_url: str, aged: Service
) -> None:
    put_on_sale("Sure")

    page = desk.get(page_url)
    said = words(page)

    [question] = page.context["questions"]
    assert question.category == aged.category
    [example] = question.examples
    assert [reading.rate_per for reading in example.readings] == [1, 1000]
    assert [reading.cost_micros for reading in example.readings] == [900_000, 900]
    assert ("Aged accounts" in said, "Sure" in said, "0.45" in said, "The shop assumes this" in said) == (
        True,
        False,
        True,
        True,
    )


@pytest.mark.parametrize(("charge", "fits"), [(900_000, [True, False]), (900, [False, True]), (5_000_000, [False] * 2)])
def test_page_when_upstream_has_charged_shows_which_reading_it_fits(
    desk: Client, page_url: str, aged: Service, ann: User, charge: int, fits: list[bool]
) -> None:
    order = place_order(user=ann, service=aged, quantity=2, link="https://x.com/a", request_id="a", now=timezone.now())
    Order.objects.filter(pk=order.pk).update(
        status=Status.COMPLETED, upstream_id="7", charge_upstream_micros=charge * 100, rate_upstream_micros=45_000_000
    )

    page = desk.get(page_url)

    [question] = page.context["questions"]
    assert question.charged is not None
    assert (question.charged.order.pk, question.charged.fits) == (order.pk, fits)
    assert f"#{order.pk}" in words(page)


@pytest.mark.parametrize("unit", [1, 1000])
def test_confirm_when_clicked_sets_the_unit_and_shows_prices(
    desk: Client, page_url: str, aged: Service, unit: int
) -> None:
    category = reverse("catalog:category", args=[aged.category_id])
    assert "Price not confirmed" in Client().get(category).content.decode()

    answer = desk.post(page_url, {"category": aged.category_id, "unit": unit}, follow=True)

    aged.category.refresh_from_db()
    assert (aged.category.rate_per, aged.category.rate_confirmed_at is not None) == (unit, True)
    assert answer.context["questions"] == []
    assert "Price not confirmed" not in Client().get(category).content.decode()
    aged.refresh_from_db()
    assert aged.selling_per_thousand_micros == aged.selling_rate_micros * (1000 // unit) > 0
    assert "Accounts" in words(answer)


@pytest.mark.parametrize("posted", [{}, {"category": "x", "unit": "1"}, {"unit": "1"}, {"category": "1", "unit": "7"}])
def test_confirm_when_nonsense_is_posted_changes_nothing(
    desk: Client, page_url: str, aged: Service, posted: dict[str, str]
) -> None:
    assert desk.post(page_url, posted).status_code == 302

    aged.category.refresh_from_db()
    assert aged.category.rate_confirmed_at is None


def test_confirm_when_it_was_confirmed_meanwhile_changes_nothing(desk: Client, page_url: str, aged: Service) -> None:
    Category.objects.filter(pk=aged.category_id).update(rate_confirmed_at=timezone.now())

    desk.post(page_url, {"category": aged.category_id, "unit": 1000})

    aged.category.refresh_from_db()
    assert aged.category.rate_per == 1


def test_page_when_somebody_may_only_look_has_no_buttons_and_takes_no_click(
    client: Client, clerk: User, page_url: str, aged: Service
) -> None:
    clerk.user_permissions.add(Permission.objects.get(codename="view_rateunitquestion"))

    page = client.get(page_url).content.decode()

    assert ("Aged accounts" in page, 'name="unit"' in page) == (True, False)
    assert client.post(page_url, {"category": aged.category_id, "unit": 1}).status_code == 403


def test_page_when_somebody_may_not_look_is_refused(client: Client, clerk: User, page_url: str) -> None:
    assert client.get(page_url).status_code == 403


def test_page_when_there_are_more_categories_asks_no_more_queries(desk: Client, page_url: str, aged: Service) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(page_url).status_code == 200
        return len(captured)

    queries()
    before = queries()
    for number in range(3):
        for each in range(5):
            put_on_sale(f"{number} {each}", category=f"More {number}")
    Category.objects.update(rate_confirmed_at=None)

    assert queries() == before
    page = desk.get(page_url)
    assert [len(question.examples) for question in page.context["questions"]] == [1, 3, 3, 3]
