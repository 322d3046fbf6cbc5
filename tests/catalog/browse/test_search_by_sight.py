"""Services are found by what one sees of their names, however these are spelt, and however the words are."""

import html
import importlib
from typing import Any

import pytest
from django.apps import apps
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from catalog.browse.forms import ListingQuery
from catalog.browse.search import find
from catalog.models import Category, Delivery, Service
from catalog.operations.overrides import refresh_search_text
from catalog.sync.names import new_category

pytestmark = pytest.mark.django_db
SPELLINGS = [
    ("𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 Followers", "instagram"),
    ("Ｉｎｓｔａｇｒａｍ Followers", "instagram"),
    ("İnstagram Takipçi", "instagram takipci"),
    ("Facebook Re\u0301els", "réels"),
    ("Facebook Réels", "reels"),
    ("Insta\u00adgram \u200bLikes", "instagram likes"),
    ("Author&#039;s pick &amp; more", "author's & more"),
    ("Ёлка", "елка"),
    ("STRASSE Views", "straße"),
    ("ﬁne views", "fine"),
]


@pytest.mark.parametrize(("name", "words"), SPELLINGS)
def test_search_finds_a_name_by_its_plain_spelling(client: Any, service: Service, name: str, words: str) -> None:
    Service.objects.filter(pk=service.pk).update(name=name)
    refresh_search_text(Service.objects.all())

    assert list(Service.objects.matching(words)) == [service]
    assert list(Service.objects.matching(name)) == [service]
    shown = client.get(reverse("catalog:search"), {"q": words})
    assert name in html.unescape(shown.content.decode()) or html.escape(name) in shown.content.decode()


@pytest.mark.parametrize("typed", ["#{pk}", "\u200b#{pk}", "＃{pk}"])
def test_search_finds_a_service_by_its_number_with_something_unseen_before_it(service: Service, typed: str) -> None:
    assert list(find(Service.objects.all(), typed.format(pk=service.pk))) == [service]


def test_admin_finds_a_service_by_its_plain_spelling(client: Any, sam: Any, service: Service) -> None:
    Service.objects.filter(pk=service.pk).update(name="𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 Réels")
    refresh_search_text(Service.objects.all())
    client.force_login(sam)

    found = client.get(reverse("admin:catalog_service_changelist"), {"q": "insta\u200bgram REELS"})

    assert [row.pk for row in found.context["cl"].result_list] == [service.pk]


def test_upgrade_brings_stored_texts_up_to_date_in_short_statements(service: Service) -> None:
    Service.objects.filter(pk=service.pk).update(search_text="𝗶𝗻𝘀𝘁𝗮 i̇nstagram réels")
    migration = importlib.import_module("catalog.migrations.0004_search_by_what_is_seen")

    migration.rewrite(apps, None)

    service.refresh_from_db()
    assert service.search_text == "insta instagram reels"
    assert migration.Migration.atomic is False


@pytest.mark.parametrize("name", ["Gmail \u00adAcco\u200bunts", "𝗔𝗰𝗰𝗼𝘂𝗻𝘁𝘀", "Аккаунты", "Account&#115;"])
def test_a_new_category_is_guessed_by_what_its_name_looks_like(name: str) -> None:
    assert new_category(name, has_products=False).delivery == Delivery.GOODS


def test_admin_finds_a_category_by_its_plain_spelling(client: Any, sam: Any, db: None) -> None:
    category = Category.objects.create(name="İnstagram · 𝗩𝗜𝗣", delivery=Delivery.LINK)
    client.force_login(sam)

    found = client.get(reverse("admin:catalog_category_changelist"), {"q": "instagram vip"})

    assert [row.pk for row in found.context["cl"].result_list] == [category.pk]


@pytest.mark.parametrize("typed", ["1,5", "1.5", "1.50\u200b", "$1.5", " 1,5 "])
def test_prices_to_filter_by_are_read_as_people_write_them(typed: str) -> None:
    assert ListingQuery.read(QueryDict(urlencode({"from": typed}))).price_from_micros == 1_500_000


@pytest.mark.parametrize("typed", ["1 000", "1,000", "1000.0", "1\u00a0000"])
def test_pieces_to_filter_by_are_read_leniently(typed: str) -> None:
    assert ListingQuery.read(QueryDict(urlencode({"quantity": typed}))).quantity == 1000
