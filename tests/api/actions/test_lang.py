"""Names in the language that a reseller asks for."""

from typing import Any

import pytest

from catalog.models import Category, Service, Subcategory
from sms.models import Country, Project, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def translated(service: Service, settings: Any) -> Service:
    settings.CATALOG_LANGUAGES = ("ru", "pt-BR")
    Service.objects.update(translated_names={"ru": "Подписчики", "pt-BR": "Seguidores", "de": "Follower"})
    Category.objects.update(translated_names={"ru": "Инстаграм"})
    Subcategory.objects.update(translated_names={"ru": "Читатели"})
    country = Country.objects.create(code="us", name="United States", translated_names={"ru": "США"})
    site = Site.objects.create(name="Telegram", translated_names={"ru": "Телеграм"})
    Project.objects.create(upstream_id="1", country=country, site=site, name="Telegram", price_upstream_micros=500_000)
    return service


def names(call: Any, **asked: str) -> list[str]:
    [row] = call("services", **asked)["services"]
    [category] = call("categories", **asked)["categories"]
    [project] = call("sms_projects", **asked)
    [country] = call("sms_countries", **asked)
    assert row["category"] == category["category"]
    assert project["country_title"] == country["country_name"]
    return [row["name"], category["category"], *category["subcategories"], project["name"], country["country_name"]]


ENGLISH = ["Instagram Followers, real", "Instagram", "Followers", "Telegram", "United States"]
RUSSIAN = ["Подписчики", "Инстаграм", "Читатели", "Телеграм", "США"]


def test_lang_names_everything_in_that_language_and_the_cache_keeps_them_apart(translated: Service, call: Any) -> None:
    for _time in range(2):
        assert names(call) == ENGLISH
        assert names(call, lang="ru") == RUSSIAN
        assert names(call, lang="RU ") == RUSSIAN


@pytest.mark.parametrize("lang", ["", "en", "de", "tlh", "ru' OR 1", "x" * 3000, "ру"])
def test_lang_when_the_shop_lacks_it_answers_in_english(translated: Service, call: Any, lang: str) -> None:
    assert names(call, lang=lang) == ENGLISH


def test_lang_where_a_translation_is_missing_answers_that_name_in_english(translated: Service, call: Any) -> None:
    assert names(call, lang="pt-br") == ["Seguidores", *ENGLISH[1:]]
    assert names(call, lang="pt") == ["Seguidores", *ENGLISH[1:]]


def test_lang_when_the_shop_has_names_of_its_own_answers_those(translated: Service, call: Any) -> None:
    Service.objects.update(display_name="Ours")
    Category.objects.update(display_name="Our place")

    assert names(call, lang="ru") == ["Ours", "Our place", *RUSSIAN[2:]]
    Category.objects.update(own_names={"ru": "Наше место"})
    assert names(call, lang="ru") == ["Ours", "Наше место", *RUSSIAN[2:]]
    assert names(call) == ["Ours", "Our place", *ENGLISH[2:]]


def test_lang_leaves_filters_to_the_english_names(translated: Service, call: Any) -> None:
    asked = {"category": "Instagram", "subcategory": "Followers", "lang": "ru"}

    assert [row["name"] for row in call("services", **asked)["services"]] == ["Подписчики"]
    assert call("services", category="Инстаграм", lang="ru")["services"] == []


def test_lang_when_the_setting_is_empty_answers_in_english(translated: Service, call: Any, settings: Any) -> None:
    names(call, lang="ru")
    settings.CATALOG_LANGUAGES = ()

    assert names(call, lang="ru") == ENGLISH
