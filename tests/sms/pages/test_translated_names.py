"""Websites, apps and countries on the pages of numbers, in the reader's language."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from orders.models import Order
from sms.models import Country, Project, Site
from sms.operations import buy_numbers
from tests.pages import page_words

pytestmark = pytest.mark.django_db
RUSSIAN = {"HTTP_ACCEPT_LANGUAGE": "ru"}


@pytest.fixture
def translated(project: Project, settings: Any) -> Project:
    settings.CATALOG_LANGUAGES = ("ru",)
    for rows, name in ((Site, "Чат-бот"), (Country, "Штаты")):
        for row in rows.objects.all():
            row.translated_names = {"ru": name}
            row.search_text = row.found_by()
            row.save()
    return project


def test_shop_of_numbers_shows_and_finds_names_in_the_readers_language(translated: Project, client: Client) -> None:
    site, country = translated.site_id, translated.country.code
    for url, russian in (
        (reverse("sms:home"), ["Чат-бот"]),
        (reverse("sms:home", query={"by": "country"}), ["Штаты"]),
        (reverse("sms:home", query={"q": "чат"}), ["Чат-бот"]),
        (reverse("sms:home", query={"q": "openai штаты"}), ["Чат-бот", "Штаты"]),
        (reverse("sms:site", args=[site]), ["Чат-бот", "Штаты"]),
        (reverse("sms:country", args=[country]), ["Чат-бот", "Штаты"]),
        (reverse("sms:buy", args=[translated.pk]), ["Чат-бот", "Штаты"]),
    ):
        page, other = page_words(client.get(url)), page_words(client.get(url, **RUSSIAN))
        assert "OpenAI" in page or "United States" in page, url
        assert [name for name in russian if name in page.replace(url, "") and "q=" not in url] == [], url
        assert [name for name in russian if name not in other] == [], url
        assert "OpenAI / ChatGPT" not in other, url


def test_pages_of_a_number_show_its_website_and_country(translated: Project, ann: User, client: Client) -> None:
    client.force_login(ann)
    with translation.override("ru"):
        [order] = buy_numbers(user=ann, project=translated, request_id="1")

    assert Order.objects.get().title == "OpenAI / ChatGPT · United States"
    for url in [
        reverse("orders:list"),
        reverse("orders:detail", args=[order.pk]),
        reverse("sms:waiting"),
        reverse("sms:history"),
    ]:
        assert "OpenAI" in page_words(client.get(url))
        russian = page_words(client.get(url, **RUSSIAN))
        assert "Чат-бот" in russian
        assert "Штаты" in russian
        assert "OpenAI" not in russian, url
    lines = b"".join(client.get(reverse("orders:export"), **RUSSIAN).streaming_content).decode()
    assert [row[3] for row in csv.reader(io.StringIO(lines))][1:] == ["Чат-бот · Штаты"]
