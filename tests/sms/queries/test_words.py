"""Numbers are found by what people call websites, apps and countries, however they spell it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import SearchSynonym
from sms.models import Country, Project, Site
from sms.queries.words import closest_words, matching, mixed
from tests.pages import HTMX, markup, page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
HOME = "/sms/"


@pytest.fixture
def shop(db: None) -> dict[str, Project]:
    """Four apps in three countries."""
    countries = [
        Country.objects.create(code=code, name=name)
        for code, name in (("us", "United States"), ("gb", "United Kingdom"), ("de", "Germany"))
    ]
    found = {}
    for name in ("Telegram", "WhatsApp", "Google, YouTube, Gmail", "High Five"):
        for country in countries:
            found[f"{name} {country.code}"] = Project.objects.create(
                upstream_id=f"{name}-{country.code}", country=country, name=name, price_upstream_micros=500_000
            )
    return found


def places(page: Any, section: str) -> list[str]:
    part = re.search(rf'aria-labelledby="{section}">(.*?)</section>', markup(page), re.DOTALL)
    return re.findall(r'class="place-tile__name"[^>]*>\s*(.*?)\s*<', part[1], re.DOTALL) if part else []


@pytest.mark.parametrize(
    ("typed", "section", "expected"),
    [
        ("телеграм", "found-sites", ["Telegram"]),
        ("тг", "found-sites", ["Telegram"]),
        ("вотсап", "found-sites", ["WhatsApp"]),
        ("гугл", "found-sites", ["Google, YouTube, Gmail"]),
        ("googl", "found-sites", ["Google, YouTube, Gmail"]),
        ("usa", "found-countries", ["United States"]),
        ("сша", "found-countries", ["United States"]),
        ("штаты", "found-countries", ["United States"]),
        ("англия", "found-countries", ["United Kingdom"]),
        ("uk", "found-countries", ["United Kingdom"]),
        ("германия", "found-countries", ["Germany"]),
        ("+49", "found-countries", ["Germany"]),
    ],
)
def test_numbers_are_found_by_what_people_call_things(
    client: Client, shop: dict, typed: str, section: str, expected: list[str]
) -> None:
    page = client.get(HOME, {"q": typed})

    assert places(page, section) == expected
    assert "Showing results for" not in page_words(page)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("telegramm", "telegram"),
        ("telegramm germny", "telegram germany"),
        ("whatsap usa", ""),  # as it is begun
        ("watsapp", "whatsapp"),
        ("гермния", "германия"),
        ("untied states", "united states"),
        ("телегарм", "телеграм"),
    ],
)
def test_numbers_are_found_by_mistyped_words_and_the_page_says_so(
    client: Client, shop: dict, typed: str, meant: str
) -> None:
    page = client.get(HOME, {"q": typed}, headers=HTMX)

    assert "Nothing found" not in page_words(page)
    if not meant:
        assert "Showing results for" not in page_words(page)
        return
    assert f"Showing results for {meant} . Search instead for {typed}" in page_words(page)
    instead = client.get(HOME, {"q": typed, "exact": "1"})
    assert "Nothing found" in page_words(instead)
    assert meant in page_words(instead)


def test_short_words_are_found_where_words_begin(client: Client, shop: dict) -> None:
    assert places(client.get(HOME, {"q": "ig"}), "found-sites") == []
    assert places(client.get(HOME, {"q": "hi"}), "found-sites") == ["High Five"]


def test_words_that_find_nothing_together_are_suggested_alone(client: Client, shop: dict) -> None:
    page = client.get(HOME, {"q": "telegramm unicorn"})  # mistyped besides

    found = re.findall(r'<a class="chip" href="([^"]*)"[^>]*>\s*(.*?)\s*</a>', markup(page), re.DOTALL)
    assert [text for _url, text in found] == ["telegram"]
    assert places(client.get(f"{HOME}{found[0][0]}"), "found-sites") == ["Telegram"]


def test_countries_of_a_site_and_sites_of_a_country_are_found_alike(client: Client, shop: dict) -> None:
    site = reverse("sms:site", args=[shop["Telegram us"].site_id])
    country = reverse("sms:country", args=["us"])

    assert "Germany" in page_words(client.get(site, {"q": "германия"}, headers=HTMX))
    mistyped = page_words(client.get(site, {"q": "germny"}, headers=HTMX))
    assert "Showing results for germany" in mistyped
    assert "United States" not in mistyped
    assert "WhatsApp" in page_words(client.get(country, {"q": "вотсап"}, headers=HTMX))
    assert "Showing results for telegram" in page_words(client.get(country, {"q": "telegarm"}, headers=HTMX))
    assert "Nothing found" in page_words(client.get(country, {"q": "zzzz qqqq"}, headers=HTMX))


def test_synonyms_of_staff_count_for_numbers_as_well(shop: dict) -> None:
    SearchSynonym.objects.create(typed="paper plane", finds="telegram")

    assert [site.name for site in matching(Site.objects.all(), "paper plane")] == ["Telegram"]
    assert len(mixed("paper plane germany", 5)) == 1


def test_words_that_are_known_have_nothing_closer(shop: dict) -> None:
    assert closest_words("united", Country.objects.all()) == []
