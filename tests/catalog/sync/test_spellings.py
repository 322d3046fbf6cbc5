"""Names of categories that look alike, however upstream writes them, are one; it is asked for by its own spelling."""

import json
from datetime import timedelta
from typing import Any

import pytest

from catalog.models import Category, Service, Subcategory
from catalog.sync.spellings import tidy_categories
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.syncs import NOW
from tests.upstream.raw_server import RawServer, Received, answer, client_of

pytestmark = pytest.mark.django_db
SPELLINGS = ["Instagram", "Instagram ", "instagram", "Insta\u200bgram", "Ｉｎｓｔａｇｒａｍ", "&#73;nstagram"]


def row(service: int, category: str, **fields: Any) -> dict[str, Any]:
    usual = {"name": f"Likes {service}", "type": "Default", "rate": "1.00", "min": 1, "max": 9}
    return {"service": service, "category": category, **usual, **fields}


def supplier(rows: list[dict], subcategories: dict[str, list[str]]) -> Any:
    """Serve these rows; a filter finds only what is spelled exactly as it is."""
    place = {row["service"]: row.pop("subcategory", None) for row in rows}

    def behave(sock: Any, received: Received) -> None:
        form = received.form
        if form["action"] == "balance":
            said: Any = {"balance": "5", "currency": "USD"}
        elif form["action"] == "categories":
            said = [{"category": name, "subcategories": names} for name, names in subcategories.items()]
        else:
            found = [r for r in rows if form.get("category") in (None, r["category"])]
            found = [r for r in found if form.get("subcategory") in (None, place[r["service"]])]
            said = {"services": found, "total": len(found)}
        sock.sendall(answer(json.dumps(said)))

    return behave


def test_sync_catalog_when_a_category_is_spelled_in_many_ways_has_it_once() -> None:
    rows = [row(pk, name, subcategory="Likes" if pk % 2 else " likes") for pk, name in enumerate(SPELLINGS, start=1)]
    with RawServer(supplier(rows, {name: ["Likes", " likes"] for name in SPELLINGS})) as server:
        run = sync_catalog(client=client_of(server), now=NOW)

        assert (run.status, run.added, run.set_aside) == ("applied", len(SPELLINGS), [])
        assert [category.name for category in Category.objects.all()] == ["Instagram"]
        assert [subcategory.name for subcategory in Subcategory.objects.all()] == ["Likes"]
        assert not Service.objects.filter(subcategory=None).exists()
        again = sync_catalog(client=client_of(server), now=NOW + timedelta(minutes=15))
        assert again.status == "unchanged"


def test_sync_catalog_when_the_shop_has_a_category_keeps_its_name() -> None:
    known = Category.objects.create(name="instagram")

    with RawServer(supplier([row(1, "Instagram")], {"Instagram": []})) as server:
        sync_catalog(client=client_of(server), now=NOW)

    assert Service.objects.get().category == known
    assert Category.objects.get().name == "instagram"


def test_sync_catalog_merges_categories_that_were_stored_apart_and_leaves_their_settings() -> None:
    first, hidden, third = (
        Category.objects.create(name="Instagram"),
        Category.objects.create(name="Instagram ", visible=False),
        Category.objects.create(name="instagram", rate_per=1),
    )
    of_third = Category.objects.create(name="Insta", merged_into=third)

    with RawServer(supplier([row(1, "instagram"), row(2, "INSTAGRAM")], {"instagram": []})) as server:
        sync_catalog(client=client_of(server), now=NOW)

    merged = {category.pk: category.merged_into_id for category in Category.objects.all()}
    assert merged == {first.pk: None, hidden.pk: first.pk, third.pk: first.pk, of_third.pk: first.pk}
    # Its rate unit is its own: a service that moved would be priced anew.
    assert Service.objects.get(upstream_id=1).category == third
    assert Service.objects.get(upstream_id=2).category == first
    assert Category.objects.get(pk=hidden.pk).visible is False


def test_tidy_categories_puts_stored_names_right_once() -> None:
    Category.objects.create(name="Author&#039;s \u200bpicks")
    Category.objects.create(name="TikTok")

    assert (tidy_categories(), tidy_categories()) == (1, 0)

    assert set(Category.objects.values_list("name", flat=True)) == {"Author's picks", "TikTok"}


def test_tidy_categories_when_the_oldest_is_merged_shows_all_where_that_one_is_shown() -> None:
    other = Category.objects.create(name="Networks")
    oldest = Category.objects.create(name="Instagram", merged_into=other)
    newest = Category.objects.create(name="INSTAGRAM")

    tidy_categories()

    assert set(Category.objects.filter(merged_into=other)) == {oldest, newest}


@pytest.mark.parametrize("sent", ["Author&#039;s &amp; co", "Author's & co", "Author\u00ad's  & co\u200b"])
def test_sync_catalog_decodes_names_and_asks_by_what_was_sent(sent: str) -> None:
    with RawServer(supplier([row(1, sent, name=sent, subcategory=sent)], {sent: [sent]})) as server:
        run = sync_catalog(client=client_of(server), now=NOW)

    service = Service.objects.get()
    assert (run.set_aside, service.name, service.category.name) == ([], "Author's & co", "Author's & co")
    assert service.subcategory.name == "Author's & co"
    assert "author s co" in service.search_text


def test_sync_catalog_when_a_name_is_longer_than_its_column_names_it_and_goes_on() -> None:
    long = "x" * 10_000
    categories = {"Instagram": ["Likes", long], long: ["Likes"]}
    with RawServer(supplier([row(1, "Instagram", subcategory="Likes")], categories)) as server:
        run = sync_catalog(client=client_of(server), now=NOW)

    assert run.status == "applied"
    assert [(aside["service"][:21], aside["field"]) for aside in run.set_aside] == [
        ("categories: xxxxxxxxx", "category"),
        ("categories: Instagram", "subcategories"),
    ]
    assert Service.objects.get().subcategory.name == "Likes"
