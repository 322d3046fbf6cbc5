"""The home page, the language switch, and what people meet when something is wrong."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from sms.models import Country, Project
from tests.catalog.listing_rows import put_on_sale

pytestmark = pytest.mark.django_db


def text(page: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


def test_home_with_a_catalog_counts_it_and_links_its_categories(client: Client) -> None:
    service = put_on_sale("A")
    put_on_sale("B", category="TikTok")
    put_on_sale("Hidden", visible=False)
    country = Country.objects.create(code="us", name="USA")
    Country.objects.create(code="fr", name="France")
    Project.objects.create(upstream_id="1", country=country, name="Telegram", price_upstream_micros=500_000)

    page = client.get("/")

    assert "Services 2 Categories 2 Countries for SMS 1" in text(page)
    assert reverse("catalog:category", args=[service.category_id]) in page.content.decode()


def test_home_when_the_catalog_is_empty_says_so(client: Client) -> None:
    page = client.get("/")

    assert page.status_code == 200
    assert "The catalog is still loading" in text(page)


def test_home_shows_the_balance_to_its_owner_only(client: Client, ann: Any) -> None:
    assert "$100.00" not in text(client.get("/"))

    client.force_login(ann)

    assert "$100.00" in text(client.get("/"))


def test_home_when_the_customer_has_no_wallet_yet_shows_nothing_owned(client: Client, sam: Any) -> None:
    client.force_login(sam)

    assert "$0.00" in text(client.get("/"))


def test_home_carries_no_token_for_visitors(client: Client) -> None:
    page = client.get("/")

    assert "csrfmiddlewaretoken" not in page.content.decode()
    assert "csrftoken" not in page.cookies


def test_home_takes_no_post(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_language_switch_without_a_token_is_remembered_and_leads_back() -> None:
    client = Client(enforce_csrf_checks=True)
    back = f"http://testserver{reverse('catalog:index')}"

    answer = client.post(reverse("set_language"), {"language": "ru"}, headers={"referer": back})

    assert (answer.status_code, answer["Location"]) == (302, back)
    assert '<html lang="ru">' in client.get(back).content.decode()


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_language_switch_never_leads_elsewhere(client: Client, next_url: str) -> None:
    answer = client.post(reverse("set_language"), {"language": "ru", "next": next_url})

    assert answer["Location"] == "/"


def test_language_switch_to_an_unknown_language_changes_nothing(client: Client) -> None:
    client.post(reverse("set_language"), {"language": "xx"})

    assert '<html lang="en">' in client.get("/").content.decode()


def test_unknown_address_is_not_found_and_offers_the_search(client: Client) -> None:
    page = client.get("/no/such/page")

    assert page.status_code == 404
    assert "Page not found" in text(page)
    assert f'action="{reverse("catalog:search")}"' in page.content.decode()


def test_expired_form_says_that_nothing_was_done(ann: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)

    page = client.post(reverse("account_logout"))

    assert page.status_code == 403
    assert "This form has expired Nothing has been changed" in text(page)


def test_page_that_fails_says_what_to_look_at(client: Client, ann: Any, settings: Any) -> None:
    service = put_on_sale("A")
    client.force_login(ann)
    client.raise_request_exception = False
    settings.FLOOR_MARGIN_PERCENT = None  # without it there is no price

    page = client.get(reverse("catalog:category", args=[service.category_id]))

    assert page.status_code == 500
    assert "Something went wrong on our side" in text(page)
    assert reverse("orders:list") in page.content.decode()


def test_every_page_forbids_script_and_style_of_others(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert settings.STORE_NAME in text(client.get("/"))
