"""What a reader of another language sees of names, on every page that lists services."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from catalog.models import Category, SearchWord, Service, Subcategory
from catalog.operations.overrides import refresh_search_text
from catalog.words.vocabulary import closest_words, learn_words
from tests.pages import page_words

pytestmark = pytest.mark.django_db
RUSSIAN = {"HTTP_ACCEPT_LANGUAGE": "ru"}


@pytest.fixture
def translated(service: Service, settings: Any) -> Service:
    """The one service with its Russian names, findable by both."""
    settings.CATALOG_LANGUAGES = ("ru",)
    Service.objects.filter(pk=service.pk).update(translated_names={"ru": "Подписчики, живые"})
    Category.objects.update(translated_names={"ru": "Инстаграм"})
    Subcategory.objects.update(translated_names={"ru": "Читатели"})
    refresh_search_text(Service.objects.all())
    service.refresh_from_db()
    return service


def addresses(service: Service) -> list[tuple[str, list[str], list[str]]]:
    """Pages with what they say in English and in Russian."""
    name, category, sub = (
        ("Instagram Followers, real", "Подписчики, живые"),
        ("Instagram", "Инстаграм"),
        ("Followers", "Читатели"),
    )
    shown = [
        (reverse("home"), [category]),
        (reverse("catalog:index"), [category]),
        (reverse("catalog:category", args=[service.category_id]), [name, category, sub]),
        (reverse("catalog:search"), [name, category, sub]),
        (reverse("orders:place", args=[service.pk]), [name, category, sub]),
    ]
    return [(url, [pair[0] for pair in pairs], [pair[1] for pair in pairs]) for url, pairs in shown]


@pytest.mark.parametrize("signed_in", [False, True])
def test_pages_show_names_in_the_readers_language_from_the_cache_too(
    translated: Service, client: Client, ann: User, signed_in: bool
) -> None:
    if signed_in:
        client.force_login(ann)
    for _time in range(2):  # the second one comes from the cache, as does whatever the first one left for the other
        for url, english, russian in addresses(translated):
            page = page_words(client.get(url))
            other = page_words(client.get(url, **RUSSIAN))
            assert [name for name in english if name not in page] == [], url
            assert [name for name in russian if name in page] == [], url
            assert [name for name in russian if name not in other] == [], url
            assert "Followers, real" not in other, url


def test_pages_when_the_shop_has_a_name_of_its_own_show_that(translated: Service, client: Client) -> None:
    Service.objects.update(display_name="Our own")
    Category.objects.update(display_name="Our place")

    page = page_words(client.get(reverse("catalog:search"), **RUSSIAN))

    assert "Our own" in page
    assert "Our place" in page
    assert "живые" not in page
    assert "Инстаграм" not in page


def test_pages_when_the_setting_is_empty_are_english(translated: Service, client: Client, settings: Any) -> None:
    before = page_words(client.get(reverse("catalog:search"), **RUSSIAN))
    settings.CATALOG_LANGUAGES = ()

    after = page_words(client.get(reverse("catalog:search"), **RUSSIAN))

    assert "Подписчики, живые" in before
    assert "Подписчики, живые" not in after
    assert "Instagram Followers, real" in after


def test_pages_when_a_translation_changes_show_it_at_once(translated: Service, client: Client) -> None:
    url = reverse("catalog:category", args=[translated.category_id])
    client.get(url, **RUSSIAN)

    Category.objects.update(translated_names={"ru": "Иначе"})

    assert "Иначе" in page_words(client.get(url, **RUSSIAN))


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("words", ["подписчики", "ЖИВЫЕ", "инстаграм", "читатели", "followers", "instagram real"])
def test_search_finds_names_of_both_languages(translated: Service, client: Client, words: str, language: str) -> None:
    page = client.get(reverse("catalog:search", query={"q": words}), HTTP_ACCEPT_LANGUAGE=language)

    assert reverse("orders:place", args=[translated.pk]) in page.content.decode()


def test_suggestions_know_the_words_of_both_languages(translated: Service) -> None:
    Service.objects.update(translated_names={"ru": "Seguidores, читателями"})
    refresh_search_text(Service.objects.all())
    learn_words()

    assert SearchWord.objects.filter(word="читатели").exists()
    assert closest_words("читатлями")[0] == "читателями"
    assert closest_words("segidores")[0] == "seguidores"
    assert closest_words("folowers")[0] == "followers"


def test_lists_ask_the_database_as_often_in_every_language(translated: Service, client: Client) -> None:
    url = reverse("catalog:search", query={"q": "followers"})
    client.get(url), client.get(url, **RUSSIAN)
    counts = []
    for headers in ({}, RUSSIAN):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(f"{url}&page=2", **headers)
        counts.append(len(queries))

    assert counts[0] == counts[1]
