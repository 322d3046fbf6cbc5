"""Counts beside every filter: exact where they are counted ahead, honest where counting stops; merged categories."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog.browse.category_index import category_index
from catalog.browse.facets import (
    Facets,
    count_facets,
    narrow_by_flags,
    narrow_openly,
    narrow_to_place,
)
from catalog.browse.facets import Place as Spot
from catalog.browse.forms import ListingQuery
from catalog.browse.search import find
from catalog.caching.version import catalog_version
from catalog.models import Category, Service
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


def facets_of(**asked: Any) -> Facets:
    index, query = category_index(catalog_version()), ListingQuery(**asked)
    found = narrow_openly(find(Service.objects.on_sale_in_any_category(), query.words), query, index)
    return count_facets(found, query, index, ahead=query.is_counted_ahead)


def counts(facets: Facets) -> dict[str, str]:
    """What the page writes beside each filter."""
    named = {each.label: each for each in facets.categories + facets.subcategories}
    flags = {"refill": facets.refill, "cancel": facets.cancel, "in stock": facets.in_stock}
    return {label: choice.written for label, choice in {**named, **flags}.items() if choice.count}


@pytest.fixture
def listing() -> dict[str, int]:
    """Ids by name: Instagram with followers and likes, TikTok with likes."""
    put_on_sale("A", refill=True)
    put_on_sale("B", refill=True, cancel=True, stock=0)
    likes = put_on_sale("C", subcategory="Likes")
    tiktok = put_on_sale("D", category="TikTok", subcategory="Likes", refill=True)
    put_on_sale("Gone", withdrawn_at=timezone.now())
    put_on_sale("Hidden", visible=False)
    return {"instagram": likes.category_id, "likes": likes.subcategory_id, "tiktok": tiktok.category_id}


def test_counts_of_everything_are_what_each_filter_would_leave(listing: dict) -> None:
    found = facets_of()

    assert (found.total, found.or_more) == (4, False)
    assert counts(found) == {"Instagram": "3", "TikTok": "1", "refill": "3", "cancel": "1", "in stock": "3"}


@pytest.mark.parametrize("words", ["", "li"])
def test_counts_leave_their_own_filter_out_and_keep_the_others(listing: dict, words: str) -> None:
    """So that another category can be chosen with its own count, and with what else is asked for."""
    if words:
        Service.objects.update(search_text="likes")

    found = facets_of(words=words, category_id=listing["instagram"], refill=True)

    assert found.total == 2
    assert counts(found) == {
        "Instagram": "2",
        "TikTok": "1",
        "Followers": "2",
        "refill": "2",
        "cancel": "1",
        "in stock": "1",
    }


def test_every_count_is_the_length_of_the_list_it_leads_to(listing: dict) -> None:
    for asked in (
        {},
        {"words": "instagram"},
        {"category_id": listing["instagram"]},
        {"in_stock": True, "quantity": 50},
    ):
        found = facets_of(**asked)
        for choice in found.categories:
            leads_to = facets_of(**{**asked, "category_id": choice.value})
            assert choice.count == leads_to.total == length(**{**asked, "category_id": choice.value})
        for choice in found.subcategories:
            assert choice.count == length(**{**asked, "subcategory_id": choice.value})
        for name, choice in (("refill", found.refill), ("cancel", found.cancel), ("in_stock", found.in_stock)):
            assert choice.count == length(**{**asked, name: True})


def length(**asked: Any) -> int:
    index, query = category_index(catalog_version()), ListingQuery(**asked)
    found = narrow_openly(find(Service.objects.on_sale_in_any_category(), query.words), query, index)
    return narrow_by_flags(narrow_to_place(found, Spot.of(query, index), index), query).count()


def test_counts_stop_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.browse.facets.MAX_COUNTED", 5)
    for number in range(9):
        put_on_sale(f"Followers {number}", refill=number % 2 == 0)
    rare = put_on_sale("Followers", category="Rare", cancel=True)

    found = facets_of(words="followers")
    assert (found.total, found.or_more) == (5, True)
    assert counts(found)["Instagram"].endswith("+")

    # What is rare among them is counted by itself once it is chosen.
    chosen = facets_of(words="followers", category_id=rare.category_id)
    assert (chosen.total, chosen.or_more) == (1, False)
    assert {each.label: each.written for each in chosen.categories}["Rare"] == "1"
    assert facets_of(words="followers", cancel=True).total == 1


@pytest.mark.parametrize(
    ("asked", "statements"),
    [({}, 0), ({"refill": True}, 0), ({"words": "followers"}, 1), ({"words": "followers", "refill": True}, 2)],
)
def test_counting_takes_two_statements_at_most_however_much_matches(
    monkeypatch: pytest.MonkeyPatch, asked: dict, statements: int
) -> None:
    monkeypatch.setattr("catalog.browse.facets.MAX_COUNTED", 3)
    for number in range(8):
        put_on_sale(f"Followers {number}", refill=True)
    index = category_index(catalog_version())
    query = ListingQuery(**asked)
    found = find(Service.objects.on_sale_in_any_category(), query.words)

    with CaptureQueriesContext(connection) as captured:
        count_facets(found, query, index, ahead=query.is_counted_ahead)

    assert len(captured) == statements
    assert all(" LIMIT 3" in each["sql"] for each in captured)


def test_page_writes_more_than_it_has_counted_with_a_plus(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.browse.facets.MAX_COUNTED", 5)
    for number in range(9):
        put_on_sale(f"Followers {number}")

    assert "5+ services" in page_words(client.get(reverse("catalog:search", query={"q": "followers"})))


# --- Merged categories ------------------------------------------------------------------------------------------------


@pytest.fixture
def merged() -> dict[str, Category]:
    """Instagram, and "IG" which is merged into it; both have followers."""
    shown = put_on_sale("Real", category="Instagram").category
    other = put_on_sale("Cheap", category="IG").category
    put_on_sale("Likes", category="IG", subcategory="Likes")
    other.merged_into = shown
    other.save(update_fields=["merged_into"])
    return {"shown": shown, "other": other}


def listed(page: Any) -> list[str]:
    return [unescape(name) for name in re.findall(r'service-row__name"[^>]*>(.*?)</a>', page.content.decode())]


def test_merged_category_is_shown_on_the_page_and_tile_of_the_other(client: Client, merged: dict) -> None:
    index = client.get(reverse("catalog:index"))
    page = client.get(reverse("catalog:category", args=[merged["shown"].pk]))

    assert re.findall(r'category-tile__name">(.*?)<', index.content.decode()) == ["Instagram"]
    assert "3 services" in page_words(index)
    assert listed(page) == ["Real", "Cheap", "Likes"]
    # Subcategories of one name are one to the customer.
    assert "Everything Followers 2 Likes 1" in page_words(page)


@pytest.mark.parametrize("name", ["shown", "other"])
def test_subcategory_of_a_merged_category_stands_for_all_of_its_name(client: Client, merged: dict, name: str) -> None:
    followers = merged[name].subcategories.get(name="Followers")

    page = client.get(reverse("catalog:category", args=[merged["shown"].pk], query={"sub": followers.pk}))

    assert listed(page) == ["Real", "Cheap"]


def test_merged_category_leads_to_the_one_it_is_shown_in(client: Client, merged: dict) -> None:
    own = reverse("catalog:category", args=[merged["other"].pk])

    answer = client.get(f"{own}?sort=name")

    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("catalog:category", args=[merged["shown"].pk]) + "?sort=name",
    )
    by_id = client.get(reverse("catalog:search", query={"cat": merged["other"].pk}))
    assert listed(by_id) == ["Real", "Cheap", "Likes"]
    assert {each.label: each.count for each in facets_of().categories} == {"Instagram": 3}


@pytest.mark.parametrize("hidden", ["shown", "other"])
def test_category_that_is_merged_into_a_hidden_one_is_hidden_too(client: Client, merged: dict, hidden: str) -> None:
    Category.objects.filter(pk=merged[hidden].pk).update(visible=False)

    left = {"shown": [], "other": ["Real"]}[hidden]
    assert listed(client.get(reverse("catalog:search"))) == left
    assert sorted(Service.objects.on_sale().values_list("name", flat=True)) == left
    service = merged["other"].services.first()
    assert client.get(reverse("orders:place", args=[service.pk])).status_code == 404


def test_page_of_a_service_names_the_category_it_is_shown_in(client: Client, merged: dict) -> None:
    page = client.get(reverse("orders:place", args=[merged["other"].services.first().pk]))

    assert reverse("catalog:category", args=[merged["shown"].pk]) in page.content.decode()
    assert "All services Instagram Cheap" in page_words(page)


def test_merging_in_circles_or_over_several_steps_is_refused(merged: dict) -> None:
    third = Category.objects.create(name="Third")

    for category, into in (
        (third, third),
        (merged["shown"], merged["other"]),  # a circle
        (third, merged["other"]),  # a chain, from behind
        (merged["shown"], third),  # a chain, from the front
    ):
        category.merged_into = into
        with pytest.raises(ValidationError) as refusal:
            category.full_clean()
        assert set(refusal.value.message_dict) == {"merged_into"}
        category.refresh_from_db()
    third.merged_into = merged["shown"]
    third.full_clean()


def test_merging_in_the_admin_makes_the_services_findable_by_both_names(client: Client, sam: Any) -> None:
    shown = put_on_sale("Real", category="Instagram").category
    other = put_on_sale("Cheap", category="IG").category
    client.force_login(sam)
    form = {"display_name": "", "delivery": "link", "rate_per": "", "position": "0", "visible": "on"}
    address = reverse("admin:catalog_category_change", args=[other.pk])

    refused = client.post(address, {**form, "merged_into": other.pk})
    saved = client.post(address, {**form, "merged_into": shown.pk})

    assert "A category can't be merged into itself." in page_words(refused)
    assert saved.status_code == 302
    assert list(Service.objects.matching("instagram cheap").values_list("name", flat=True)) == ["Cheap"]
