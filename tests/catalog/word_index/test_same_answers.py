"""Searches answered by the index of words and by the database: the same page, byte for byte."""

import random
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.browse import kept_lines
from catalog.browse.answers import Shop
from catalog.browse.category_index import category_index
from catalog.browse.forms import ListingQuery, Sort
from catalog.caching.version import STOCK_KEY, catalog_version, forget_process_version, recent_version
from catalog.caching.versioned_cache import forget_process_cache
from catalog.models import Category, SearchSynonym, Service
from catalog.word_index.kept import keep_word_index, word_index
from catalog.words.terms import terms_of
from catalog.words.vocabulary import learn_words
from tests.catalog.listing_rows import put_on_sale

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
WORDS = [
    "view",
    "views",
    "preview",
    "ig",
    "instagram",
    "real",
    "x",
    "é",
    "подписчики",
    "🔥",
    "100",
    "关注",
    "c++",
    "hq",
]
TYPED = [*WORDS, "vie", "insta", "gram", "ram", "подпис", "关", "vews", "#3", "3", "nothing", "a-b", "%", "_", "\\"]


@pytest.fixture
def shop() -> None:
    """Sixty services of random words in five categories, one hidden and one merged, some withdrawn or sold out."""
    rng = random.Random(7)
    for number in range(60):
        put_on_sale(
            " ".join(rng.choices(WORDS, k=rng.randint(1, 4))) or "x",
            category=f"Network {number % 5}",
            subcategory=rng.choice(["Likes", "Views"]),
            pk=number + 1,
            position=rng.randrange(8),
            refill=rng.random() < 0.5,
            cancel=rng.random() < 0.3,
            stock=rng.choice([None, None, 0, 5, 500]),
            visible=rng.random() < 0.9,
            country=rng.choice(["", "us", "br"]),
            qualities=rng.randrange(4),
            covered_days=rng.choice([None, 7, 30]),
            selling_rate_micros=2_000_000,
            selling_per_thousand_micros=rng.randrange(1, 9) * 1_000_000,
        )
    Category.objects.filter(name="Network 3").update(visible=False)
    merged_into = Category.objects.get(name="Network 0")
    Category.objects.filter(name="Network 4").update(merged_into=merged_into)
    SearchSynonym.objects.create(typed="followers", finds="подписчики\nsub scribers")
    learn_words()


questions = st.fixed_dictionaries(
    {"q": st.lists(st.sampled_from(TYPED), min_size=1, max_size=3).map(" ".join)},
    optional={
        "cat": st.sampled_from(["Network 0", "Network 1", "Network 3", "Network 4"]),
        "refill": st.just("1"),
        "cancel": st.just("1"),
        "stock": st.just("1"),
        "sort": st.sampled_from(Sort.values),
        "page": st.sampled_from(["2", "99"]),
        "country": st.just("br"),
        "from": st.just("3"),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions)
def test_search_is_the_same_page_by_the_index_and_by_the_database(
    shop: None, client: Client, question: dict[str, Any]
) -> None:
    if "cat" in question:
        question = {**question, "cat": Category.objects.get(name=question["cat"]).pk}
    address = reverse("catalog:search", query=question)
    forget()
    assert word_index(catalog_version()) is None
    by_database = client.get(address).content

    keep_word_index()
    assert word_index(catalog_version()) is not None
    assert client.get(address).content == by_database


def test_search_asks_the_database_for_nothing_but_the_rows_where_there_is_an_index(
    shop: None, client: Client, django_assert_num_queries: Any
) -> None:
    keep_word_index()
    client.get(reverse("catalog:search", query={"q": "view"}))  # what a process learns once
    kept_lines._kept.clear()

    with django_assert_num_queries(1):
        assert "service-row__name" in client.get(reverse("catalog:search", query={"q": "views real"})).content.decode()


def test_search_that_finds_more_than_the_database_counts_is_counted_and_paged_to_its_end(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.browse.answers.MAX_COUNTED", 4)
    monkeypatch.setattr("catalog.browse.paging.SERVICES_PER_PAGE", 3)
    made = [put_on_sale(name, position=place) for place, name in enumerate(["Apart", "Parts", "Part"] * 4)]
    keep_word_index()
    index = category_index(catalog_version())
    ordered = sorted(made, key=lambda each: (["Part", "Parts", "Apart"].index(each.name), each.position))

    found = []
    for number in range(1, 5):
        answer = Shop(index).answer(ListingQuery(words="part", page=number))
        assert (answer.facets.total, answer.facets.or_more) == (12, False)
        window = answer.window()
        assert (window.number, window.pages) == (number, 4)
        found += [row.pk for row in window.rows]
    assert found == [each.pk for each in ordered]

    by_name = Shop(index).answer(ListingQuery(words="part", sort=Sort.NAME)).window()
    assert [row.name for row in by_name.rows] == ["Apart"] * 3


@pytest.mark.parametrize(
    ("way", "row", "number"), [("after", 2, 2), ("after", 5, 3), ("before", 3, 1), ("before", 7, 3), ("after", None, 1)]
)
def test_page_beside_a_row_is_the_numbered_one_where_all_are_known(
    monkeypatch: pytest.MonkeyPatch, way: str, row: int | None, number: int
) -> None:
    monkeypatch.setattr("catalog.browse.paging.SERVICES_PER_PAGE", 3)
    made = [put_on_sale("Part", position=place) for place in range(8)]
    keep_word_index()
    beside = "5~99999" if row is None else f"{row}~{made[row].pk}"

    window = Shop(category_index(catalog_version())).answer(ListingQuery(words="part", **{way: beside})).window()

    assert window.number == number
    assert [each.pk for each in window.rows] == [each.pk for each in made[3 * (number - 1) : 3 * number]]


@pytest.mark.parametrize("limit", ["MOST_WORDS", "MOST_FOUND"])
def test_search_that_would_be_much_work_is_the_databases(
    shop: None, client: Client, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    address = reverse("catalog:search", query={"q": "view"})
    forget()
    by_database = client.get(address).content
    keep_word_index()
    monkeypatch.setattr(f"catalog.word_index.index.{limit}", 1)
    index = word_index(catalog_version())
    assert index is not None

    assert index.find(terms_of("view")) is None
    assert client.get(address).content == by_database


def test_what_is_kept_in_the_cache_does_not_pile_up(redis_server: Any) -> None:
    def kept() -> int:
        return sum(1 for _key in redis_server.scan_iter(match="*cached:*"))

    put_on_sale("Views")
    keep_word_index()
    first = kept()
    for number in range(5):
        put_on_sale(f"Views {number}")
        assert keep_word_index()

    assert kept() == first


@pytest.mark.parametrize("change", ["renamed", "hidden", "new"])
def test_search_after_a_change_asks_the_database_until_there_is_a_new_index(
    client: Client, change: str, django_assert_num_queries: Any
) -> None:
    put_on_sale("Views")
    keep_word_index()
    address = reverse("catalog:search", query={"q": "views"})
    assert "service-row__name" in client.get(address).content.decode()

    if change == "renamed":
        Service.objects.update(name="Likes", search_text="likes")
    elif change == "hidden":
        Service.objects.update(visible=False)
    else:
        put_on_sale("Views too")
    shown = client.get(address).content.decode().count("service-row__name")
    assert shown == {"renamed": 0, "hidden": 0, "new": 2}[change]

    assert keep_word_index()
    assert not keep_word_index()  # nothing changed since
    assert client.get(address).content.decode().count("service-row__name") == shown


def test_index_is_shared_and_made_anew_when_the_cache_lost_it() -> None:
    put_on_sale("Views")
    assert keep_word_index()
    forget_process_cache()  # as another process would find it
    found = word_index(catalog_version())
    assert found is not None
    assert set(found.words) == {"views", "instagram", "followers"}

    cache.clear()
    forget_process_cache()
    assert word_index(catalog_version()) is None
    assert keep_word_index()


def forget() -> None:
    """Forget everything that is kept but the database."""
    cache.clear()
    forget_process_cache()


def test_keep_word_index_when_stock_alone_has_changed_makes_it_anew_while_the_old_one_is_used(shop: None) -> None:
    keep_word_index()
    kept = word_index(recent_version())
    service = Service.objects.exclude(stock=None).exclude(stock=0).first()
    Service.objects.filter(pk=service.pk).update(stock=0)
    cache.delete(STOCK_KEY)  # the seconds are over in which the count before is taken
    forget_process_version()

    assert word_index(recent_version()).version == kept.version != recent_version()
    assert keep_word_index() is True
    assert word_index(recent_version()).version == recent_version()
    assert keep_word_index() is False
