"""Categories merged and renamed: shown first, in every language, and no sync undoes it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User
from catalog.browse.category_index import category_index
from catalog.caching.version import catalog_version
from catalog.models import Category, Service
from catalog.sync.sync_catalog import sync_catalog
from catalog.sync.translation_tables import untranslated, write_names
from tests.catalog.syncs import LATER, QUARTER
from tests.pages import page_words
from tests.storefront.admin_rows import make_service
from upstream.client import Client as Upstream
from upstream.sandbox.process import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def russian(settings: Any) -> None:
    settings.CATALOG_LANGUAGES = ("ru",)


def address(category: Category) -> str:
    return reverse("admin:catalog_category_change", args=[category.pk])


def form(**fields: Any) -> dict[str, Any]:
    blank = {"display_name": "", "own_names": "", "merged_into": "", "group": "", "delivery": "link", "rate_per": ""}
    return {**blank, "visible": "on", "position": "0", **fields}


def shown_in(language: str) -> list[str]:
    with override(language):
        return sorted(each.title for each in category_index(catalog_version()).categories)


def test_merge_when_previewed_then_it_says_how_many_services_move_and_nothing_has(desk: Client) -> None:
    source, target = (make_service(number).category for number in (1, 2))

    words = page_words(desk.post(address(source), form(merged_into=target.pk, _preview="1")))

    assert "Services that move to another page 1 From the page of Category 1 To the page of Category 2" in words
    assert Category.objects.get(pk=source.pk).merged_into is None


def test_merge_when_many_services_move_then_it_is_shown_before_it_is_saved(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.admin.category_form.SHOWN_UNASKED_ABOVE", 0)
    source, target = (make_service(number).category for number in (1, 2))
    fields = form(merged_into=target.pk)

    shown = desk.post(address(source), fields)
    assert Category.objects.get(pk=source.pk).merged_into is None
    fingerprint = shown.context["adminform"].form.fingerprint
    desk.post(address(source), {**fields, "previewed": fingerprint})

    assert Category.objects.get(pk=source.pk).merged_into == target


def test_merge_and_rename_when_the_next_syncs_come_then_they_stay(
    desk: Client, synced: list[tuple], client_upstream: Upstream, sandbox: Sandbox, russian: None
) -> None:
    source, target = Category.objects.get(name="Instagram"), Category.objects.get(name="TikTok")
    desk.post(address(source), form(merged_into=target.pk))
    desk.post(address(target), form(display_name="Videos", own_names="ru: Ролики"))
    sandbox.set_service(1, rate="0.75")

    sync_catalog(client=client_upstream, now=LATER)
    sync_catalog(client=client_upstream, now=LATER + QUARTER, in_full=True)
    write_names(Category, "ru", {target.pk: "ТикТок"})

    assert "Instagram" not in shown_in("en")
    assert "Videos" in shown_in("en")
    assert "Ролики" in shown_in("ru")
    moved = Service.objects.get(upstream_id=1)
    assert moved in Service.objects.matching("ролики")
    assert moved in Service.objects.matching("videos")
    assert moved in Service.objects.matching("instagram")


def test_rename_when_previewed_then_every_language_is_shown(desk: Client, russian: None) -> None:
    category = make_service(1).category
    fields = form(display_name="Fans", own_names="ru: Фанаты", _preview="1")

    words = page_words(desk.post(address(category), fields))

    assert "Name, en Category 1 → Fans Name, ru Category 1 → Фанаты Services that are found by the new name 1" in words


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("Фанаты", "This line can't be read: Фанаты"),
        ("de: Freunde", "Names are shown in these languages (CATALOG_LANGUAGES): ru."),
        ("ru:", "This line can't be read: ru:"),
    ],
)
def test_rename_when_a_line_says_nothing_then_the_field_says_so(
    desk: Client, russian: None, names: str, said: str
) -> None:
    category = make_service(1).category

    words = page_words(desk.post(address(category), form(own_names=names))).replace("’", "'")

    assert said in words


def test_own_name_when_its_language_is_no_longer_the_shops_then_the_category_can_be_saved_and_keeps_it(
    desk: Client, settings: Any
) -> None:
    settings.CATALOG_LANGUAGES = ()
    category = make_service(1).category
    Category.objects.filter(pk=category.pk).update(own_names={"ru": "Фанаты"})

    desk.post(address(category), form(own_names="ru: Фанаты", position="5"))
    words = page_words(desk.post(address(category), form(own_names="ru: Друзья", position="6")))

    assert "Names are shown in these languages (CATALOG_LANGUAGES): –." in words
    saved = Category.objects.get(pk=category.pk)
    assert (saved.position, saved.own_names) == (5, {"ru": "Фанаты"})


def test_category_list_when_it_is_saved_then_no_category_is_hidden_or_shown(desk: Client) -> None:
    category = make_service(1).category
    page = reverse("admin:catalog_category_changelist")
    formset = desk.get(page).context["cl"].formset
    data = {f"form-{name}": value for name, value in formset.management_form.initial.items()}
    data |= {"form-0-id": category.pk, "form-0-position": "7", "_save": "1"}

    Category.objects.update(visible=False)  # by a colleague, since the list was opened
    desk.post(page, {**data, "form-0-visible": "on"})

    saved = Category.objects.get(pk=category.pk)
    assert (saved.position, saved.visible) == (7, False)


def test_own_name_in_a_language_when_there_is_one_then_it_comes_before_all_others(russian: None) -> None:
    category = Category(name="Followers", display_name="Fans", translated_names={"ru": "Подписчики"})
    with override("ru"):
        assert category.title == "Fans"
        category.own_names = {"ru": "Фанаты"}
        assert category.title == "Фанаты"
    with override("en"):
        assert category.title == "Fans"


def test_untranslated_when_the_shop_gave_a_name_in_the_language_then_none_is_missing(russian: None) -> None:
    category = make_service(1).category
    assert untranslated("ru")["categories"] == 1

    Category.objects.filter(pk=category.pk).update(own_names={"ru": "Фанаты"})

    assert untranslated("ru")["categories"] == 0
