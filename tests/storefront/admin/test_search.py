"""One box for the whole admin: pages by name, rows by whatever was typed, and only what somebody may see."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.rights import CATALOG, SUPPORT
from orders.models import Order
from tests.orders.conftest import place
from tests.pages import page_words
from tests.security.staff import at_the_admin, in_role

__all__ = ["place"]  # a fixture
pytestmark = pytest.mark.django_db


def found(desk: Client, typed: str) -> str:
    return page_words(desk.get(reverse("admin:search"), {"s": typed, "extended": "1"}))


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def test_order_is_found_by_its_number_its_link_and_its_customer(
    desk: Client, place: Callable[..., Order], ann: User
) -> None:
    order = place()
    page = reverse("admin:orders_order_change", args=[order.pk])

    for typed in (f"#{order.pk}", order.link, ann.email):
        answer = desk.get(reverse("admin:search"), {"s": typed, "extended": "1"}).content.decode()
        assert page in answer, typed
    assert reverse("admin:accounts_user_change", args=[ann.pk]) in answer


@pytest.mark.parametrize(("typed", "words"), [("ann@example.com", 1), ("ann example", 2)])
def test_customers_are_looked_up_once_a_word_for_all_lists(
    desk: Client, place: Callable[..., Order], typed: str, words: int, django_assert_max_num_queries: Any
) -> None:
    place()
    found(desk, typed)  # what is asked for once in a process

    with django_assert_max_num_queries(100) as asked:
        found(desk, typed)

    ids_of_customers = re.compile(r'SELECT "accounts_user"."id" AS "\w+" FROM "accounts_user" WHERE.*"email"')
    assert sum(bool(ids_of_customers.match(one["sql"])) for one in asked.captured_queries) == words


def test_pages_are_found_by_their_names_and_what_they_belong_to(desk: Client) -> None:
    assert "Markup rules" in found(desk, "markup")
    assert "Exchange rates" in found(desk, "prices rates")
    assert "Gateway events" in found(desk, "gateway")


def test_what_is_too_short_finds_nothing_and_a_digit_is_long_enough(desk: Client, place: Callable[..., Order]) -> None:
    order = place()

    assert found(desk, "") == found(desk, "a") == ""
    assert f"#{order.pk}" in found(desk, f"{order.pk}")


def test_more_than_a_few_lead_to_the_list(desk: Client, place: Callable[..., Order], ann: User) -> None:
    for _order in range(6):
        place()

    answer = desk.get(reverse("admin:search"), {"s": ann.email, "extended": "1"}).content.decode()

    assert answer.count("/admin/orders/order/") == 6
    assert "?q=ann%40example.com" in answer


def test_roles_find_what_they_may_see(place: Callable[..., Order], ann: User) -> None:
    place()

    catalog = found(at_the_admin(in_role("cat@example.com", CATALOG)), ann.email)
    support = found(at_the_admin(in_role("help@example.com", SUPPORT)), ann.email)

    assert ann.email not in catalog
    assert ann.email in support
    assert "Books" not in found(at_the_admin(in_role("aid@example.com", SUPPORT)), "books")


def test_visitors_and_customers_find_nothing(client: Client, ann: User) -> None:
    assert client.get(reverse("admin:search"), {"s": "ann"}).status_code == 302
    client.force_login(ann)
    assert client.get(reverse("admin:search"), {"s": "ann"}).status_code == 302
