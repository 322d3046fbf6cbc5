"""Searches that forgive: other words for things, mistyped ones, numbers, and a way on where nothing is found."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.rights import CATALOG, SUPPORT
from catalog.models import Category, SearchSynonym, SearchWord, Service
from catalog.word_index.kept import keep_word_index
from catalog.words.synonyms import synonyms
from catalog.words.vocabulary import learn_words
from storefront.roles import keep_the_roles
from tests.catalog.listing_rows import put_on_sale
from tests.pages import markup, page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
BY_INDEX = False
TRADE_WORDS = [
    "ig",
    "insta",
    "yt",
    "tt",
    "fb",
    "vk",
    "tg",
    "x",
    "инстаграм",
    "инста",
    "ютуб",
    "тикток",
    "телеграм",
    "вк",
    "подписчики",
    "лайки",
    "просмотры",
    "комментарии",
    "отзывы",
    "накрутка",
    "acc",
    "account",
    "аккаунт",
    "subs",
    "view",
    "like",
]


@pytest.fixture(autouse=True, params=["the database", "the index of words"])
def answered_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each search is asked of both: what they find is the same."""
    monkeypatch.setattr(f"{__name__}.BY_INDEX", request.param == "the index of words")


def search(client: Client, **query: Any) -> Any:
    if BY_INDEX:
        keep_word_index()
    return client.get(reverse("catalog:search", query=query))


def titles(page: Any) -> list[str]:
    return [unescape(title) for title in re.findall(r'service-row__name"[^>]*>(.*?)</a>', page.content.decode())]


def links(page: Any, label: str) -> dict[str, str]:
    part = re.search(rf'aria-label="{label}">(.*?)</nav>', markup(page), re.DOTALL)
    found = re.findall(r'<a class="chip" href="([^"]*)"[^>]*>\s*(.*?)\s*</a>', part[1] if part else "", re.DOTALL)
    return {unescape(text): unescape(url) for url, text in found}


@pytest.fixture
def shop(db: None) -> None:
    """Three networks with a service or two each, and their words learned."""
    put_on_sale("Instagram Followers")
    put_on_sale("Instagram Likes | High Quality", subcategory="Likes")
    put_on_sale("YouTube Views", category="YouTube", subcategory="Views")
    put_on_sale("TikTok Likes", category="TikTok", subcategory="Likes")
    put_on_sale("Telegram Members", category="Telegram", subcategory="Members")
    put_on_sale("Google Reviews", category="Google", subcategory="Reviews")
    learn_words()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ig followers", ["Instagram Followers"]),
        ("Инстаграм подписчики", ["Instagram Followers"]),
        ("инста лайки", ["Instagram Likes | High Quality"]),
        ("yt", ["YouTube Views"]),
        ("you tube", ["YouTube Views"]),
        ("ютуб просмотры", ["YouTube Views"]),
        ("tik tok", ["TikTok Likes"]),
        ("тик ток лайки", ["TikTok Likes"]),
        ("телеграм подписчики", ["Telegram Members"]),
        ("telegram followers", ["Telegram Members"]),
        ("отзывы", ["Google Reviews"]),
    ],
)
def test_search_by_another_word_for_it_finds_it(client: Client, shop: None, typed: str, found: list[str]) -> None:
    page = search(client, q=typed)

    assert titles(page) == found
    assert "Showing results for" not in page_words(page)


@pytest.mark.parametrize(
    ("typed", "meant", "found"),
    [
        ("instagrm folowers", "instagram followers", ["Instagram Followers"]),
        ("инстограм падписчики", "инстаграм подписчики", ["Instagram Followers"]),
        ("yuotube vieews", "youtube views", ["YouTube Views"]),
        ("tiktoklikes", "tiktok likes", ["TikTok Likes"]),
        ("telegr am", "telegram", ["Telegram Members"]),
        ("ltktuhfv", "", []),  # no word on any keyboard
        ("bycnfuhfv", "инстаграм", ["Instagram Followers", "Instagram Likes | High Quality"]),
        ("youtu viws", "youtu views", ["YouTube Views"]),
        ("googel reviws", "google reviews", ["Google Reviews"]),
    ],
)
def test_search_when_it_is_mistyped_shows_what_was_meant_and_the_way_back(
    client: Client, shop: None, typed: str, meant: str, found: list[str]
) -> None:
    page = search(client, q=typed)

    assert titles(page) == found
    if meant:
        assert f"Showing results for {meant} . Search instead for {typed}" in page_words(page)
        address = unescape(re.search(r'<a href="([^"]*)">Search instead for', markup(page))[1])
        instead = client.get(address)
        assert titles(instead) == []
        assert "Nothing found" in page_words(instead)
        assert meant in links(instead, "Broaden your search")


def test_search_for_a_short_word_finds_it_where_words_begin_alone(client: Client) -> None:
    put_on_sale("High quality signals", category="Other", subcategory="Big")
    put_on_sale("Photos (IG)", category="Other", subcategory="Big")
    learn_words()

    assert titles(search(client, q="ig")) == ["Photos (IG)"]
    assert titles(search(client, q="hig")) == ["High quality signals"]


def test_search_shows_whole_words_then_beginnings_then_parts(client: Client) -> None:
    names = ["Reviewers", "Viewership", "A view", "Viewers", "View"]
    for position, name in enumerate(names):
        put_on_sale(name, category="Other", subcategory="Other", position=position)

    assert titles(search(client, q="view")) == ["A view", "View", "Viewership", "Viewers", "Reviewers"]
    assert titles(search(client, q="view", sort="name")) == ["A view", "Reviewers", "View", "Viewers", "Viewership"]


@pytest.mark.parametrize("whole", [0, 2, 5])
def test_search_that_finds_more_than_is_counted_begins_with_the_whole_words(
    client: Client, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    monkeypatch.setattr("catalog.browse.facets.MAX_COUNTED", 4)
    monkeypatch.setattr("catalog.browse.search.MAX_COUNTED", 4)
    for number in range(5):
        put_on_sale(f"Preview {number}", category="Other", subcategory="Other")
    for number in range(whole):
        put_on_sale(f"View {number}", category="Other", subcategory="Other")

    found = titles(search(client, q="view"))

    assert found[:whole] == [f"View {number}" for number in range(whole)]
    # Where not all are counted, as many as are; the others are not missed.
    assert len(found) == (5 if whole == 5 and not BY_INDEX else 5 + whole)


def test_search_by_number_finds_the_one_in_every_spelling(client: Client) -> None:
    other = put_on_sale("Pack of 100")
    one = put_on_sale("The one", pk=100)

    for typed in ("#100", "№100", "№ 100", "id 100", "ID: 100", "id#100"):
        assert titles(search(client, q=typed)) == [one.name], typed
    assert titles(search(client, q="100")) == [one.name, other.name]  # the number first, then what says it
    assert titles(search(client, q="#99999")) == []


def test_search_that_finds_nothing_suggests_what_does(client: Client, shop: None) -> None:
    page = search(client, q="instagram followers unicorn", refill="1")

    suggested = links(page, "Broaden your search")
    assert list(suggested) == ["Only “instagram followers”", "Only “instagram”", "Only “followers”", "Instagram"]
    assert all(titles(client.get(address)) for address in suggested.values())


def test_suggestions_of_fewer_words_are_of_those_that_were_meant(client: Client, shop: None) -> None:
    suggested = links(search(client, q="instagrm unicorn"), "Broaden your search")

    assert next(iter(suggested)) == "Only “instagram”"


def test_search_that_finds_nothing_without_any_word_that_does_suggests_the_largest_categories(
    client: Client, shop: None
) -> None:
    suggested = links(search(client, q="qqqq wwww"), "Broaden your search")

    assert next(iter(suggested)) == "Instagram"
    assert len(suggested) == 3
    assert all(titles(client.get(address)) for address in suggested.values())


def test_suggestions_on_a_categorys_page_stay_there_or_lead_everywhere(client: Client, shop: None) -> None:
    category = Category.objects.get(name="TikTok")

    page = client.get(reverse("catalog:category", args=[category.pk]), {"q": "views"})

    assert titles(page) == []
    suggested = links(page, "Broaden your search")
    assert titles(client.get(suggested["In all categories"])) == ["YouTube Views", "Google Reviews"]


def test_words_learned_are_the_same_on_every_database(client: Client) -> None:
    put_on_sale("One (IG) | two", category="A/B", subcategory="x")
    put_on_sale("Two: twenty-one", category="A/B", subcategory="x")
    Service.objects.create(**{**Service.objects.values().first(), "id": 90, "upstream_id": 90, "visible": False})

    learn_words()

    assert dict(SearchWord.objects.values_list("word", "services")) == {"one": 2, "ig": 1, "two": 2, "twenty": 1}


def test_table_of_synonyms_begins_with_the_trades_words() -> None:
    rows = list(SearchSynonym.objects.all())

    assert len(rows) >= 80
    assert set(TRADE_WORDS) <= {row.typed for row in rows}
    for row in rows:
        row.full_clean()


@pytest.fixture
def keeper(client: Client, sam: User) -> Client:
    """Staff with the role Catalog, at the admin."""
    keep_the_roles()
    User.objects.filter(pk=sam.pk).update(is_superuser=False)
    sam.groups.set([Group.objects.get(name=CATALOG)])
    client.force_login(User.objects.get(pk=sam.pk))
    return client


def test_synonym_written_by_the_role_catalog_counts_at_once(keeper: Client, shop: None) -> None:
    visitor = Client()
    assert titles(search(visitor, q="gramik")) == []

    answer = keeper.post(
        reverse("admin:catalog_searchsynonym_add"), {"typed": " GRAMIK ", "finds": "Instagram,  Ｌikes , gramik,"}
    )

    assert answer.status_code == 302
    assert SearchSynonym.objects.get(typed="gramik").finds == "instagram, likes"
    assert "Instagram Followers" in titles(search(visitor, q="gramik"))
    keeper.post(reverse("admin:catalog_searchsynonym_delete", args=[_pk("gramik")]), {"post": "yes"})
    assert "Instagram Followers" not in titles(search(visitor, q="gramik", exact="1"))


@pytest.mark.parametrize(
    ("typed", "finds", "problem"),
    [
        ("ig", "instagram", "already exists"),
        ("one two three four", "x", "at most three words"),
        ("gram", "GRAM", "at least one word other"),
        ("gram", "a,b,c,d,e,f,g,h,i", "at most eight"),
    ],
)
def test_synonym_that_no_search_could_use_is_refused(keeper: Client, typed: str, finds: str, problem: str) -> None:
    page = keeper.post(reverse("admin:catalog_searchsynonym_add"), {"typed": typed, "finds": finds})

    assert problem in page_words(page)


def test_synonyms_are_not_for_the_role_support(keeper: Client, sam: User) -> None:
    sam.groups.set([Group.objects.get(name=SUPPORT)])

    assert keeper.get(reverse("admin:catalog_searchsynonym_changelist")).status_code == 403


def test_synonyms_are_read_once_for_many_searches(shop: None, django_assert_num_queries: Any) -> None:
    synonyms()

    with django_assert_num_queries(0):
        for _ in range(3):
            synonyms()


def _pk(typed: str) -> int:
    return SearchSynonym.objects.get(typed=typed).pk
