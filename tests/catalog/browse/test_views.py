"""The listings as a visitor sees them: real pages, in a fixed number of queries."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup
from catalog.browse.paging import SERVICES_PER_PAGE
from catalog.models import Category, MarkupRule, Service, Subcategory
from tests.catalog.listing_rows import put_on_sale
from tests.pages import markup

pytestmark = pytest.mark.django_db


def titles(page: Any) -> list[str]:
    """The services a page lists, in its order."""
    found = re.findall(r'<a class="service-row__name"[^>]*>(.*?)</a>', page.content.decode())
    return [unescape(title) for title in found]


def text(page: Any) -> str:
    """What the page says, without tags and with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


def category_url(service: Service, **query: Any) -> str:
    return reverse("catalog:category", args=[service.category_id], query=query)


def search_url(words: str, **query: Any) -> str:
    return reverse("catalog:search", query={"q": words, **query})


def test_index_with_categories_counts_what_is_on_sale_in_each(client: Client) -> None:
    put_on_sale("A")
    put_on_sale("B")
    put_on_sale("Gone", withdrawn_at=timezone.now())
    put_on_sale("C", category="TikTok", visible=False)
    put_on_sale("D", category="Secret")
    Category.objects.filter(name="Secret").update(visible=False)

    page = client.get(reverse("catalog:index"))

    assert re.findall(r'category-tile__name">(.*?)<', page.content.decode()) == ["Instagram"]
    assert "2 services" in text(page)


def test_index_when_the_catalog_is_empty_says_what_to_expect(client: Client) -> None:
    page = client.get(reverse("catalog:index"))

    assert page.status_code == 200
    assert settings.SUPPORT_EMAIL in text(page)
    assert "The catalog is still loading" in text(page)


def test_category_shows_price_limits_and_flags_of_its_services(client: Client) -> None:
    service = put_on_sale("Real followers", refill=True, stock=1234)
    put_on_sale("Elsewhere", category="TikTok")

    page = client.get(category_url(service))

    assert titles(page) == ["Real followers"]
    assert "$1.875 per 1,000" in text(page)  # 1.50 and the default markup of 25 %
    assert "10–10,000" in text(page)
    assert "1,234 in stock" in text(page)
    assert "Refill" in text(page)
    assert "Can be canceled" not in text(page)


def test_category_when_priced_by_the_piece_says_each(client: Client) -> None:
    service = put_on_sale("Account", rate_per_override=1)

    assert "$1.875 each" in text(client.get(category_url(service)))


def test_category_shows_the_selling_price_by_the_rule_for_it(client: Client) -> None:
    service = put_on_sale("A")
    MarkupRule.objects.create(scope=MarkupRule.Scope.SERVICE, service=service, percent=100)

    assert "$3.00 per 1,000" in text(client.get(category_url(service)))


def test_category_shows_visitors_the_stored_rate_and_customers_of_a_group_theirs(client: Client, ann: Any) -> None:
    service = put_on_sale("A", selling_rate_micros=1_990_000, selling_per_thousand_micros=1_990_000)
    assert "$1.99 per 1,000" in text(client.get(category_url(service)))

    client.force_login(ann)
    assert "$1.99 per 1,000" in text(client.get(category_url(service)))

    ann.group = CustomerGroup.objects.create(name="Friends", discount_percent=10)
    ann.save(update_fields=["group"])
    assert "$1.6875 per 1,000" in text(client.get(category_url(service)))  # 1.875 by the rules, less a tenth


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"stock": 0}, "Sold out"),
        ({"stock": 5}, "Too few left"),
        ({"paused_because": "the unit is contested"}, "Paused"),
        ({"type": "Poll"}, "Not available yet"),
    ],
)
def test_category_when_a_service_cannot_be_ordered_says_why(client: Client, fields: dict, word: str) -> None:
    service = put_on_sale("A", **fields)

    page = client.get(category_url(service))

    assert word in text(page)
    assert "View : A" in text(page)


def test_category_when_a_subcategory_is_chosen_shows_only_that(client: Client) -> None:
    put_on_sale("Likes for you", subcategory="Likes")
    service = put_on_sale("Followers for you", subcategory="Followers")

    page = client.get(category_url(service, sub=service.subcategory_id))

    assert titles(page) == ["Followers for you"]
    assert re.findall(r'aria-current="true">(\w+)', markup(page).partition("<main")[2]) == ["Followers"]


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "0", "9" * 40, "١", "1.5"])
def test_category_when_the_subcategory_is_nonsense_shows_everything(client: Client, nonsense: str) -> None:
    service = put_on_sale("A")
    put_on_sale("B", subcategory="Likes")

    assert titles(client.get(category_url(service, sub=nonsense))) == ["A", "B"]


def test_category_when_the_subcategory_belongs_to_another_shows_everything(client: Client) -> None:
    service = put_on_sale("A")
    put_on_sale("B", category="TikTok")
    of_another = Subcategory.objects.get(category__name="TikTok")

    assert titles(client.get(category_url(service, sub=of_another.pk))) == ["A"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("usual", ["Middle", "Dear", "cheap"]),
        ("cheapest", ["cheap", "Middle", "Dear"]),
        ("dearest", ["Dear", "Middle", "cheap"]),
        ("name", ["cheap", "Dear", "Middle"]),
        ("newest", ["cheap", "Dear", "Middle"]),
        ("popular", ["Dear", "cheap", "Middle"]),
        ("fastest", ["Dear", "Middle", "cheap"]),
        ("price; DROP TABLE", ["Middle", "Dear", "cheap"]),
    ],
)
def test_category_sorts_by_price_name_age_and_purchases(client: Client, sort: str, order: list[str]) -> None:
    put_on_sale("Middle", selling_per_thousand_micros=5_000_000, selling_rate_micros=5_000_000)
    put_on_sale(
        "Dear",
        selling_per_thousand_micros=10_000_000,
        selling_rate_micros=10_000,
        rate_per_override=1,
        bought_lately=9,
        done_seconds=60,
    )
    service = put_on_sale(
        "Zzz", display_name="cheap", selling_per_thousand_micros=1_000_000, selling_rate_micros=1_000_000
    )

    assert titles(client.get(category_url(service, sort=sort))) == order


@pytest.mark.parametrize(("asked", "shown"), [("2", 2), ("99", 2), ("0", 1), ("-3", 1), ("x", 1), ("", 1)])
def test_category_when_the_page_number_is_out_of_range_shows_the_nearest(
    client: Client, asked: str, shown: int
) -> None:
    for number in range(SERVICES_PER_PAGE + 1):
        service = put_on_sale(f"Service {number}")

    page = client.get(category_url(service, page=asked))

    assert f"Page {shown} of 2" in text(page)
    assert len(titles(page)) == (SERVICES_PER_PAGE if shown == 1 else 1)


def test_category_links_to_the_next_page_keep_the_sorting(client: Client) -> None:
    for number in range(SERVICES_PER_PAGE + 1):
        service = put_on_sale(f"Service {number}")

    page = client.get(category_url(service, sort="name"))

    assert f'rel="next" href="{category_url(service, sort="name")}&amp;page=2"' in page.content.decode()


@pytest.mark.parametrize("hidden", ["invisible", "unknown"])
def test_category_when_hidden_or_unknown_is_not_found(client: Client, hidden: str) -> None:
    service = put_on_sale("A")
    Category.objects.update(visible=hidden != "invisible")
    pk = service.category_id if hidden == "invisible" else service.category_id + 1

    page = client.get(reverse("catalog:category", args=[pk]))

    assert page.status_code == 404
    assert "Page not found" in text(page)


def test_search_with_words_in_any_order_and_case_finds_across_name_and_category(client: Client) -> None:
    put_on_sale("Real people", category="TikTok", subcategory="Likes")
    put_on_sale("Real people", category="Instagram", subcategory="Followers")

    page = client.get(search_url("  FOLLOWERS   real "))

    assert titles(page) == ["Real people"]
    assert "Instagram" in text(page)
    assert 'value="FOLLOWERS real"' in page.content.decode()


def test_search_with_a_number_finds_the_service_of_that_number(client: Client) -> None:
    put_on_sale("A")
    service = put_on_sale("B")

    assert titles(client.get(search_url(f"#{service.pk}"))) == ["B"]


def test_search_does_not_find_what_is_not_on_sale(client: Client) -> None:
    put_on_sale("Gone", withdrawn_at=timezone.now())
    put_on_sale("Hidden", visible=False)
    put_on_sale("In a hidden category", category="Secret")
    Category.objects.filter(name="Secret").update(visible=False)

    page = client.get(search_url("instagram"))

    assert titles(page) == []
    assert "Nothing found" in text(page)


@pytest.mark.parametrize("words", ["", "   ", "\x00"])
def test_search_without_words_shows_everything(client: Client, words: str) -> None:
    put_on_sale("A")
    put_on_sale("B", category="TikTok")

    assert titles(client.get(search_url(words))) == ["A", "B"]


@pytest.mark.parametrize(
    "words", ["x" * 5000, "9" * 50, "%_\\'\"", "<script>alert(1)</script>", "a b c d e f g h i j k l"]
)
def test_search_with_odd_words_finds_nothing_and_shows_them_as_text(client: Client, words: str) -> None:
    put_on_sale("Followers")

    page = client.get(search_url(words))

    assert page.status_code == 200
    assert titles(page) == []
    assert "<script>alert" not in page.content.decode()


def test_search_for_a_sign_that_sql_reads_as_any_finds_nothing_by_it(client: Client) -> None:
    put_on_sale("100% real")
    put_on_sale("Plain")

    assert titles(client.get(search_url("100%"))) == ["100% real"]
    assert titles(client.get(search_url("%"))) == titles(client.get(search_url("_"))) == []


def test_search_from_htmx_answers_with_the_results_alone(client: Client) -> None:
    put_on_sale("Real followers")

    part = client.get(search_url("real"), headers={"HX-Request": "true"})
    whole = client.get(search_url("real"))

    assert titles(part) == titles(whole) == ["Real followers"]
    assert "<html" not in part.content.decode()
    assert 'id="listing-facets" hx-swap-oob="true"' in markup(part)
    assert part["HX-Push-Url"] == search_url("real")
    assert "HX-Request" in part["Vary"]
    assert "HX-Request" in whole["Vary"]


def test_search_when_htmx_restores_its_history_answers_with_the_whole_page(client: Client) -> None:
    page = client.get(search_url("real"), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})

    assert "<html" in page.content.decode()


@pytest.mark.parametrize("name", ["index", "search"])
def test_listings_take_no_post(client: Client, name: str) -> None:
    assert client.post(reverse(f"catalog:{name}")).status_code == 405
