"""Filters by facts: which are shown, how many each choice would leave, and that the list is narrowed as counted."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.browse.forms import ListingQuery
from catalog.models import Service
from catalog.operations.titles import refresh_titles
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
TITLES = [
    "Followers | Real HQ | USA | 10K/Day | 30 Days Refill",
    "Followers | Real | Germany | 50K/Day | 90 Days Refill",
    "Followers | Premium | USA | 1K/Day | No Refill",
    "Followers | Lifetime Refill",
    "Followers | Real | USA | Replacement 48h",
]


@pytest.fixture
def listing() -> Service:
    """Five services of Instagram with what their titles say, and one of TikTok; the first of them."""
    first, *_others = [put_on_sale(title) for title in TITLES]
    put_on_sale("Likes | Real | France", category="TikTok", subcategory="Likes")
    refresh_titles()
    return first


def choices(client: Client, path: str, **asked: Any) -> dict[str, dict[str, str]]:
    """What the filters by facts offer, with the counts beside."""
    text = client.get(path, asked).content.decode()
    found = {}
    for name, options in re.findall(r'<select id="facet-(quality|country|days|speed)"[^>]*>(.*?)</select>', text, re.S):
        labels = re.findall(r"<option[^>]*>\s*(.*?)\s*</option>", unescape(options), re.S)
        found[name] = dict(re.fullmatch(r"(.*) \(([\d,+]+)\)", label).groups() for label in labels[1:])
    return found


def names(client: Client, path: str, **asked: Any) -> list[str]:
    return re.findall(r'class="service-row__name" href="/order/(\d+)/"', client.get(path, asked).content.decode())


def path_of(service: Service) -> str:
    return reverse("catalog:category", args=[service.category_id])


def test_filters_offer_what_titles_say_with_counts(client: Client, listing: Service) -> None:
    assert choices(client, path_of(listing)) == {
        "quality": {"Real": "3", "High quality": "1", "Premium": "1"},
        "country": {"Germany": "1", "USA": "3"},
        "days": {"1 day or more": "4", "30 days or more": "3", "90 days or more": "2", "Lifetime": "1"},
        "speed": {"1K or more": "3", "10K or more": "2", "50K or more": "1"},
    }


@pytest.mark.parametrize("words", ["", "followers"])
def test_a_filter_leaves_itself_out_of_its_counts(client: Client, listing: Service, words: str) -> None:
    found = choices(client, path_of(listing), country="us", q=words)

    assert found["country"] == {"Germany": "1", "USA": "3"}
    assert found["quality"] == {"Real": "2", "High quality": "1", "Premium": "1"}


@pytest.mark.parametrize("words", ["", "followers"])
def test_every_count_is_the_length_of_the_list_it_leads_to(client: Client, listing: Service, words: str) -> None:
    """With words they are counted among what was found, without they are counted ahead."""
    for path in (path_of(listing), reverse("catalog:search")):
        for asked in ({}, {"country": "us"}, {"quality": "real", "speed": "10000"}, {"days": "30", "refill": "1"}):
            if words:
                asked = {**asked, "q": words}
            text = client.get(path, asked).content.decode()
            selects = re.findall(r'<select id="facet-(\w+)"[^>]*>(.*?)</select>', text, re.S)
            options = [
                (name, *option)
                for name, inside in selects
                if name in ("quality", "country", "days", "speed")
                for option in re.findall(r'<option value="(\w+)"[^>]*>[^(]*\((\d+)\)', inside)
            ]
            for name, value, count in options:
                assert len(names(client, path, **{**asked, name: value})) == int(count), (path, asked, name, value)
    assert options


def test_a_filter_with_one_value_is_not_shown(client: Client) -> None:
    service = put_on_sale("Followers | Real | USA")
    put_on_sale("Likes | USA")
    refresh_titles()

    assert choices(client, path_of(service)) == {}
    assert choices(client, path_of(service), country="us") == {"country": {"USA": "2"}}


def test_chosen_facts_are_chips_and_the_address_says_them(client: Client, listing: Service) -> None:
    answer = client.get(path_of(listing), {"country": "us", "quality": "real", "days": "30", "speed": "5000"})

    text = answer.content.decode()
    chips = [
        unescape(chip).strip() for chip in re.findall(r'class="chip"[^>]*>\s*<span[^>]*>[^<]*</span>([^<]*)', text)
    ]
    assert chips[:4] == ["Real", "USA", "Refill: 30 days or more", "Speed: 5K or more"]
    assert names(client, path_of(listing), country="us", quality="real", days="30", speed="5000") == [str(listing.pk)]


def test_nonsense_in_the_address_narrows_nothing() -> None:
    query = ListingQuery.read(QueryDict("quality=nice&country=xx1&days=-1&speed=abc"))
    assert query == ListingQuery()
    assert ListingQuery.read(QueryDict("days=40&speed=12000&country=US")) == ListingQuery(
        days=30, speed=10_000, country="us"
    )


def test_rows_show_short_names_and_facts(client: Client, listing: Service) -> None:
    Service.objects.filter(pk=listing.pk).update(refill=True)

    text = page_words(client.get(path_of(listing)))

    assert "Followers Followers · 10–10,000 Real" not in text
    assert "Real High quality USA 10K a day 30-day refill" in text.replace("Followers 10–10,000 ", "")
    assert "Real HQ" not in text


def test_list_asks_as_often_however_many_rows_and_facts(client: Client, listing: Service) -> None:
    def queries() -> int:
        Service.objects.filter(pk=listing.pk).update(position=F("position") + 1)  # another version
        with CaptureQueriesContext(connection) as asked:
            client.get(path_of(listing), {"q": "followers", "country": "us"})
        return len(asked)

    queries()  # the synonyms are read once
    few = queries()
    for number in range(20):
        put_on_sale(f"Followers | {('France', 'Spain', 'Italy')[number % 3]} | {number + 1}K/Day")
    refresh_titles()

    assert queries() == few


def test_counts_follow_the_catalog(client: Client, listing: Service) -> None:
    before = choices(client, path_of(listing))["country"]
    put_on_sale("Followers | Spain")
    refresh_titles()

    assert choices(client, path_of(listing))["country"] == {**before, "Spain": "1"}
