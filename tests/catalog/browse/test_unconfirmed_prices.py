"""Until it is certain how many pieces a rate buys, no page shows a number that may be a thousand times wrong."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from catalog.models import Category, Favorite, Service
from catalog.operations.overrides import confirm_rate_units
from notifications.choices import choose
from notifications.kinds import MAIL, PRICES
from notifications.models import Notice
from orders.models import WatchedPrice
from orders.notices.price_digest import send_price_digests
from orders.placing.place import place_order
from tests.catalog.listing_rows import put_on_sale

pytestmark = pytest.mark.django_db
WORDS = "Price not confirmed"
NUMBER = re.compile(r"\$\s?[\d.,]*\d")


@pytest.fixture
def aged() -> Service:
    """Accounts that cost 0.45, each or a thousand: nobody knows."""
    service = put_on_sale("Aged", category="Accounts", rate_upstream_micros=450_000, min_quantity=1)
    Category.objects.filter(pk=service.category_id).update(rate_confirmed_at=None, rate_per=1)
    return Service.objects.select_related("category").get(pk=service.pk)


def words(page: Any) -> str:
    """What the page's main part says, without tags and with single spaces."""
    main = re.search(r"<main.*</main>", page.content.decode(), re.DOTALL)
    assert page.status_code == 200
    assert main
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main[0])).split())


def pages(service: Service) -> dict[str, str]:
    return {
        "category": reverse("catalog:category", args=[service.category_id]),
        "search": reverse("catalog:search", query={"q": "aged"}),
        "service": reverse("orders:place", args=[service.pk]),
        "favorites": reverse("catalog:favorites"),
    }


@pytest.mark.parametrize("kind", ["category", "search", "service"])
def test_page_when_the_unit_is_not_confirmed_says_so_to_visitors_and_shows_no_number(
    client: Client, aged: Service, kind: str
) -> None:
    said = words(client.get(pages(aged)[kind]))

    assert WORDS in said
    assert NUMBER.search(said) is None
    assert "each" not in said


@pytest.mark.parametrize("kind", ["category", "search", "service", "favorites"])
def test_page_when_the_unit_is_not_confirmed_shows_customers_only_their_balance(
    client: Client, aged: Service, ann: User, kind: str
) -> None:
    Favorite.objects.create(user=ann, service=aged)
    client.force_login(ann)

    said = words(client.get(pages(aged)[kind]))

    assert WORDS in said
    assert set(NUMBER.findall(said)) <= {"$100.00"}


@pytest.mark.parametrize("kind", ["category", "search", "service"])
def test_page_when_the_unit_is_confirmed_shows_the_price_at_once(client: Client, aged: Service, kind: str) -> None:
    """The cached page counts as lost."""
    assert WORDS in words(client.get(pages(aged)[kind]))

    confirm_rate_units(Category.objects.filter(pk=aged.category_id), now=timezone.now())

    said = words(client.get(pages(aged)[kind]))
    assert (WORDS in said, NUMBER.search(said) is not None) == (False, True)


def test_page_when_a_service_has_a_unit_of_its_own_shows_its_price(client: Client, aged: Service) -> None:
    Service.objects.filter(pk=aged.pk).update(rate_per_override=1000)

    for kind in ("category", "service"):
        assert WORDS not in words(client.get(pages(aged)[kind]))


def test_service_page_when_a_visitor_types_a_quantity_shows_no_number(client: Client, aged: Service) -> None:
    said = words(client.get(pages(aged)["service"], {"quantity": "2"}))

    assert (WORDS in said, NUMBER.search(said)) == (True, None)


def test_service_page_when_a_customer_types_a_quantity_promises_the_total_and_says_what_it_is(
    client: Client, aged: Service, ann: User
) -> None:
    """As the rule for unconfirmed units has it: small orders, at exactly the sum that is shown."""
    client.force_login(ann)

    said = words(client.get(pages(aged)["service"], {"quantity": "2"}))

    assert "You pay exactly this total" in said
    total = re.search(r"Total for 2 (\$[\d.]+)", said)
    assert total
    assert set(NUMBER.findall(said)) == {"$100.00", total[1]}


def test_place_order_when_the_unit_is_not_confirmed_takes_small_orders(aged: Service, ann: User) -> None:
    order = place_order(user=ann, service=aged, quantity=2, link="https://x.com/a", request_id="a", now=timezone.now())

    assert order.price_micros > 0


@pytest.mark.parametrize("query", [{"from": "0.01"}, {"to": "1000000"}])
def test_search_by_price_leaves_out_what_has_none(client: Client, aged: Service, query: dict[str, str]) -> None:
    put_on_sale("Sure", selling_rate_micros=2_000_000, selling_per_thousand_micros=2_000_000)

    said = words(client.get(reverse("catalog:search", query=query)))

    assert ("Sure" in said, "Aged" in said) == (True, False)


def test_category_when_more_units_are_not_confirmed_asks_no_more_queries(client: Client, aged: Service) -> None:
    def queries() -> int:
        Category.objects.filter(name="Accounts").update(position=1)  # what is cached counts as lost
        with CaptureQueriesContext(connection) as captured:
            assert WORDS in words(client.get(pages(aged)["category"]))
        return len(captured)

    queries()
    before = queries()
    for number in range(3):
        put_on_sale(f"Aged {number}", category="Accounts")

    assert queries() == before


# --- The API ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def call(ann: User, client: Client) -> Any:
    key = create_api_key(user=ann, name="shop")[1]
    return lambda action, **fields: client.post("/api/v2", {"key": key, "action": action, **fields}).json()


def test_services_when_the_unit_is_not_confirmed_leave_the_row_out_until_it_is(call: Any, aged: Service) -> None:
    sure = put_on_sale("Sure")
    assert [row["service"] for row in call("services")["services"]] == [sure.pk]
    assert [row["category"] for row in call("categories")["categories"]] == ["Instagram"]
    assert call("services", category="Accounts")["services"] == []

    confirm_rate_units(Category.objects.all(), now=timezone.now())

    assert {row["service"] for row in call("services")["services"]} == {sure.pk, aged.pk}
    assert len(call("categories")["categories"]) == 2


def test_add_when_no_price_was_told_is_refused_and_a_repeat_of_an_older_order_is_answered(
    call: Any, aged: Service
) -> None:
    asked = {"service": aged.pk, "quantity": 2, "link": "https://x.com/a", "request_id": "one"}
    assert call("add", **asked) == {"error": "Service not found"}
    confirm_rate_units(Category.objects.all(), now=timezone.now())
    first = call("add", **asked)

    Category.objects.update(rate_confirmed_at=None)

    assert call("add", **asked) == first
    assert call("add", **{**asked, "request_id": "two"}) == {"error": "Service not found"}
    assert call("inventory", service=aged.pk) == {"error": "Service not found"}


def test_add_when_a_test_key_orders_what_has_no_price_is_refused(aged: Service, ann: User, client: Client) -> None:
    key = create_api_key(user=ann, name="try", is_test=True)[1]
    asked = {"service": aged.pk, "quantity": 2, "link": "https://x.com/a"}

    answer = client.post("/api/v2", {"key": key, "action": "add", **asked}).json()

    assert answer == {"error": "Service not found"}


# --- Mails ------------------------------------------------------------------------------------------------------------
def test_price_digest_when_a_unit_is_not_confirmed_says_nothing_of_it(aged: Service, ann: User) -> None:
    choose(ann, {(PRICES, MAIL): True})
    Favorite.objects.create(user=ann, service=aged)
    now = timezone.now()
    WatchedPrice.objects.create(user=ann, service=aged, rate_per_thousand_micros=1, updated_at=now)

    assert send_price_digests(now=now + timedelta(days=2)) == 0
    assert not Notice.objects.exists()
