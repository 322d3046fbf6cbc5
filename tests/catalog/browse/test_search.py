"""The search: words in any order, filters together, nonsense understood as well as it can be."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.browse.forms import ListingQuery, Sort
from catalog.browse.paging import MAX_NUMBERED_PAGES, SERVICES_PER_PAGE
from catalog.models import Category, Service
from catalog.operations.overrides import refresh_search_text
from catalog.words.vocabulary import closest_words, learn_words
from tests.catalog.listing_rows import put_on_sale
from tests.pages import HTMX, markup, page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NAMES = ("q", "cat", "sub", "from", "to", "quantity", "refill", "cancel", "stock", "sort", "page", "after", "before")


def titles(page: Any) -> list[str]:
    found = re.findall(r'<a class="service-row__name"[^>]*>(.*?)</a>', page.content.decode())
    return [unescape(title) for title in found]


def search(client: Client, **query: Any) -> Any:
    return client.get(reverse("catalog:search", query=query))


def priced(name: str, per_thousand: str, **fields: Any) -> Service:
    micros = int(float(per_thousand) * 1_000_000)
    return put_on_sale(name, selling_per_thousand_micros=micros, selling_rate_micros=micros, **fields)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"from": "2"}, ["Two", "Three"]),
        ({"to": "2"}, ["One", "Two"]),
        ({"from": "1.5", "to": "2,5"}, ["Two"]),
        ({"from": "3", "to": "2"}, ["Two", "Three"]),  # the wrong way round
        ({"from": "cheap", "to": "2"}, ["One", "Two"]),
        ({"from": "-1"}, ["One", "Two", "Three"]),
        ({"from": "9" * 40}, []),
        ({"to": "9" * 40}, ["One", "Two", "Three"]),
    ],
)
def test_search_by_price_finds_what_costs_so_much_for_a_thousand(client: Client, query: dict, found: list) -> None:
    for name, price in (("One", "1"), ("Two", "2"), ("Three", "3")):
        priced(name, price)

    assert titles(search(client, **query)) == found


@pytest.mark.parametrize(
    ("quantity", "found"),
    [
        ("5000", ["Any", "Stocked"]),
        ("5,000", ["Any", "Stocked"]),
        ("5 000", ["Any", "Stocked"]),
        ("10", ["Any", "Stocked", "Few left", "Dear if by the piece"]),
        ("0", ["Any", "Many", "Stocked", "Few left", "Dear if by the piece"]),
        ("-5", ["Any", "Many", "Stocked", "Few left", "Dear if by the piece"]),
        ("some", ["Any", "Many", "Stocked", "Few left", "Dear if by the piece"]),
        ("9" * 40, []),
    ],
)
def test_search_by_quantity_finds_what_takes_an_order_of_it(client: Client, quantity: str, found: list) -> None:
    put_on_sale("Any")
    put_on_sale("Many", min_quantity=20_000, max_quantity=50_000)
    put_on_sale("Stocked", stock=5000)
    put_on_sale("Few left", stock=100)
    # At 100.00 a piece, as long as nobody knows the unit, five thousand could cost half a million.
    put_on_sale("Dear if by the piece", category="New", rate_upstream_micros=100_000)
    Category.objects.filter(name="New").update(rate_confirmed_at=None)

    page = search(client, quantity=quantity)

    assert titles(page) == found
    if quantity in ("5000", "10"):
        shown = Service.objects.filter(name__in=found)
        assert all(each.min_quantity <= int(quantity) <= each.max_orderable for each in shown)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"refill": "1"}, ["Refill", "Both"]),
        ({"cancel": "1"}, ["Cancel", "Both"]),
        ({"refill": "on", "cancel": "yes"}, ["Both"]),
        ({"refill": "maybe"}, ["Refill", "Cancel", "Both", "Gone", "Too few"]),
        ({"stock": "1"}, ["Refill", "Cancel", "Both"]),
    ],
)
def test_search_by_what_a_service_has(client: Client, query: dict, found: list) -> None:
    put_on_sale("Refill", refill=True, stock=100)
    put_on_sale("Cancel", cancel=True)
    put_on_sale("Both", refill=True, cancel=True)
    put_on_sale("Gone", stock=0)
    put_on_sale("Too few", stock=5)

    assert titles(search(client, **query)) == found


def test_search_in_a_category_and_a_subcategory_narrows_step_by_step(client: Client) -> None:
    likes = put_on_sale("Likes", subcategory="Likes")
    put_on_sale("Followers")
    tiktok = put_on_sale("Likes there", category="TikTok", subcategory="Likes")

    assert titles(search(client, cat=likes.category_id)) == ["Likes", "Followers"]
    assert titles(search(client, cat=likes.category_id, sub=likes.subcategory_id)) == ["Likes"]
    # A subcategory of another category is none, and neither is one without its category.
    assert titles(search(client, cat=likes.category_id, sub=tiktok.subcategory_id)) == ["Likes", "Followers"]
    assert titles(search(client, cat=99999)) == ["Likes", "Followers", "Likes there"]


def test_search_shows_what_is_in_use_and_how_to_take_each_away(client: Client) -> None:
    service = priced("A", "2", refill=True)

    page = search(client, q="a", cat=service.category_id, refill="1", to="5")

    found = re.findall(r'<a class="chip" href="([^"]*)">(.*?)</a>', page.content.decode(), re.DOTALL)
    chips = {" ".join(re.sub("<[^>]+>", " ", label).split()): unescape(url) for url, label in found}
    path = reverse("catalog:search")
    assert chips == {
        "Remove the filter: Instagram": f"{path}?q=a&to=5&refill=1",
        "Remove the filter: up to $5.00": f"{path}?q=a&cat={service.category_id}&refill=1",
        "Remove the filter: Refill": f"{path}?q=a&cat={service.category_id}&to=5",
        "Remove the filter: Clear all": path,
    }


def test_search_that_finds_nothing_suggests_less(client: Client) -> None:
    put_on_sale("Real followers")

    page = search(client, q="real gold", refill="1")

    assert titles(page) == []
    links = re.search(r'aria-label="Broaden your search">(.*?)</nav>', markup(page), re.DOTALL)[1]
    suggested = re.findall(r'<a class="chip" href="([^"]*)"[^>]*>\s*(.*?)\s*</a>', links, re.DOTALL)
    assert [label for _url, label in suggested] == ["Only “real”", "Instagram"]
    assert all(titles(client.get(unescape(url))) == ["Real followers"] for url, _label in suggested)


def test_search_from_htmx_updates_list_filters_and_count_and_names_its_address(client: Client) -> None:
    put_on_sale("Real followers", refill=True)
    put_on_sale("Real likes")
    address = reverse("catalog:search", query={"q": "real", "cat": "", "from": "", "sort": "usual", "refill": "1"})

    part = client.get(address, headers=HTMX).content.decode()

    assert titles(client.get(address, headers=HTMX)) == ["Real followers"]
    assert re.search(r'<p id="listing-count" hx-swap-oob="innerHTML">\s*1 service\s*</p>', part)
    assert re.search(r'id="facet-refill" name="refill" value="1" checked', part)
    assert client.get(address, headers=HTMX)["HX-Push-Url"] == reverse("catalog:search") + "?q=real&refill=1"


def test_search_form_without_script_asks_for_the_same(client: Client) -> None:
    """Every control stands in a GET form to the same address, with a label."""
    put_on_sale("A")
    page = markup(search(client))

    form = re.search(r'<form class="listing__form"[^>]*action="([^"]*)" method="get"(.*?)</form>', page)
    assert form[1] == reverse("catalog:search")
    names = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', form[2])
    assert names == ["q", "cat", "from", "to", "quantity", "refill", "cancel", "stock", "sort"]
    for field_id in re.findall(r'<(?:input|select)[^>]* id="([\w-]+)"', form[2]):
        assert f'<label for="{field_id}"' in form[2] or f'for="{field_id}">' in form[2], field_id
    assert form[2].count("<fieldset") == form[2].count("<legend>") == 2


def test_search_finds_a_merged_category_by_both_names(client: Client) -> None:
    service = put_on_sale("Real", category="IG")
    target = put_on_sale("Other").category
    Category.objects.filter(pk=service.category_id).update(merged_into=target, display_name="Insta")
    refresh_search_text(Service.objects.all())

    assert titles(search(client, q="insta real")) == ["Real"]
    assert titles(search(client, q="instagram real")) == ["Real"]
    assert titles(search(client, q="ig real")) == ["Real"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("instagarm", "instagram"),
        ("instagarm folowers", "instagram followers"),
        ("FOLOWERS instagram", "followers instagram"),
        ("lkies on tiktok", "likes on tiktok"),
    ],
)
def test_search_when_words_are_mistyped_finds_what_was_meant(client: Client, typed: str, meant: str) -> None:
    put_on_sale("Real", search_text="real instagram followers likes on tiktok")
    put_on_sale("Other", search_text="telegram members likee")
    put_on_sale("Others", search_text="telegram likes")
    learn_words()

    page = search(client, q=typed)

    assert titles(page) == ["Real"]
    assert f"Showing results for {meant} . Search instead for {typed}" in page_words(page)
    assert f'value="{typed}"' in page.content.decode()


def test_words_that_are_not_used_any_more_are_forgotten(client: Client) -> None:
    service = put_on_sale("Real", search_text="gold")
    learn_words()
    assert closest_words("gpld golf")[0] == "gold gold"

    Service.objects.filter(pk=service.pk).update(search_text="silver")
    learn_words()

    assert "gold" not in closest_words("gpld")
    assert closest_words("silber")[0] == "silver"


@pytest.mark.parametrize("sort", Sort.values)
def test_pages_past_the_numbered_ones_go_on_from_row_to_row_and_back(
    client: Client, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.browse.paging.SERVICES_PER_PAGE", 3)
    monkeypatch.setattr("catalog.browse.paging.MAX_NUMBERED_PAGES", 2)
    for number in range(14):  # with ties in every order
        priced(f"S {number // 2 % 3}", str(1 + number % 3), position=number % 2, bought_lately=number % 4)

    seen, back = [], []
    address = reverse("catalog:search", query={"sort": sort})
    while address:
        page = client.get(address)
        rows = re.findall(r'class="service-row__name" href="/order/(\d+)/', page.content.decode())
        seen.append(rows)
        last, address = address, link(page, "next")
    address = last
    while address:
        page = client.get(address)
        back.append(re.findall(r'class="service-row__name" href="/order/(\d+)/', page.content.decode()))
        address = link(page, "prev")

    assert [len(rows) for rows in seen] == [3, 3, 3, 3, 2]
    assert len({pk for rows in seen for pk in rows}) == 14
    every = [pk for rows in seen for pk in rows]
    assert [pk for rows in reversed(back) for pk in rows][-len(every) :] == every


def link(page: Any, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]*)"', page.content.decode())
    return unescape(found[1]) if found else ""


def test_page_that_begins_after_a_row_that_has_gone_is_the_first_one(client: Client) -> None:
    put_on_sale("A")

    assert titles(search(client, after="5~999")) == ["A"]
    assert titles(search(client, before="-5~1")) == ["A"]


def test_numbered_pages_end_where_skipping_rows_gets_slow() -> None:
    assert MAX_NUMBERED_PAGES * SERVICES_PER_PAGE <= 5000


ODD = ["1", "0", "-1", "1~1", "~", "x~5", "9" * 30, "1e9", "NaN", "%", "\\", "'", '"', "\x00", "\ud800", "on"]
nonsense = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.decimals(allow_nan=True).map(str),
    st.sampled_from([*ODD, *Sort.values]),
)
PATHS = {
    "search": lambda _service: reverse("catalog:search"),
    "category": lambda service: reverse("catalog:category", args=[service.category_id]),
    "index": lambda _service: reverse("catalog:index"),
}


@pytest.fixture
def listing() -> Service:
    put_on_sale("Likes", subcategory="Likes", stock=3)
    return priced("Followers", "2", refill=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    params=st.dictionaries(st.sampled_from(NAMES), nonsense, max_size=6),
    part=st.booleans(),
    kind=st.sampled_from(list(PATHS)),
)
def test_any_query_string_shows_a_page(client: Client, listing: Service, params: dict, part: bool, kind: str) -> None:
    path = PATHS[kind](listing)
    query = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in params.items()})

    page = client.get(f"{path}?{query}", headers=HTMX if part else {})

    assert page.status_code == 200
    if part and kind != "index":
        nearest = client.get(page["HX-Push-Url"], headers=HTMX)
        assert nearest.status_code == 200
        assert titles(nearest) == titles(page)


@settings(max_examples=200, deadline=None)
@given(params=st.dictionaries(st.sampled_from(NAMES), nonsense, max_size=6))
def test_question_written_into_an_address_is_read_as_the_same_question(params: dict) -> None:
    asked = QueryDict(mutable=True)
    asked.update(params)
    question = ListingQuery.read(asked)

    assert ListingQuery.read(QueryDict(question.encode())) == question
