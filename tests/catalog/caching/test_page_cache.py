"""Visitors' pages are cached until something changes, hold nothing personal, and never show what is not so any more."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup, User
from catalog.caching import versioned_cache
from catalog.caching.version import STOCK_KEY, forget_process_version, recent_version
from catalog.caching.versioned_cache import look_up, one_maker, store
from catalog.models import MarkupRule, Service
from catalog.operations.stock import refresh_stock
from catalog.pricing.repricing import reprice_services
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import PASSWORD
from tests.pages import page_words
from tests.preferences.known import no_preferences
from tests.support.told import nothing_told

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


def pages(service: Service) -> dict[str, str]:
    """The addresses of one page of each kind that is cached."""
    return {
        "home": "/",
        "index": reverse("catalog:index"),
        "category": reverse("catalog:category", args=[service.category_id]),
        "subcategory": reverse("catalog:category", args=[service.category_id], query={"sub": service.subcategory_id}),
        "search": reverse("catalog:search"),
        "service": reverse("orders:place", args=[service.pk]),
    }


KINDS = ["home", "index", "category", "subcategory", "search", "service"]


def statements(ask: Callable[[], Any]) -> int:
    """How many statements something takes; the version is asked for again after a second, whoever comes then."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len([each for each in captured if "catalog_version" not in each["sql"]])


@pytest.mark.parametrize("kind", KINDS)
def test_page_of_a_visitor_when_asked_for_again_costs_no_statement(client: Client, kind: str) -> None:
    address = pages(put_on_sale("A"))[kind]
    first = client.get(address)
    answers = []

    taken = statements(lambda: answers.append(client.get(address)))

    assert taken == 0
    assert (answers[0].content, answers[0]["ETag"]) == (first.content, first["ETag"])


@pytest.mark.parametrize("kind", KINDS)
def test_cached_page_carries_nothing_of_whoever_asked_first(client: Client, kind: str) -> None:
    address = pages(put_on_sale("A"))[kind]
    client.cookies["csrftoken"] = "t" * 32
    client.cookies["visited"] = "secret-of-the-first"

    page = client.get(address, headers={"User-Agent": "secret-of-the-first"})

    text = page.content.decode()
    assert "ETag" in page
    assert "csrfmiddlewaretoken" not in text
    assert "secret-of-the-first" not in text
    assert "request_id" not in text
    assert not re.search(r"nonce=|[0-9a-f]{8}-[0-9a-f]{4}-", text)
    assert not page.cookies
    assert Client().get(address).content == page.content


@pytest.mark.parametrize("kind", KINDS)
def test_customer_gets_a_page_of_their_own_and_leaves_none_behind(client: Client, ann: User, kind: str) -> None:
    address = pages(put_on_sale("A"))[kind]
    visitors = client.get(address)
    client.force_login(ann)

    own = client.get(address)

    assert "$100.00" in page_words(own)
    assert "no-store" in own["Cache-Control"]
    assert "ETag" not in own
    assert "$100.00" not in page_words(Client().get(address))
    assert Client().get(address).content == visitors.content


def test_message_to_somebody_who_signed_out_is_shown_to_them_alone(client: Client, ann: User) -> None:
    put_on_sale("A")
    client.get("/")
    client.login(email=ann.email, password=PASSWORD)
    signed_out = client.post(reverse("account_logout"))
    browser = Client()  # has no session any more, only what it was told
    browser.cookies["messages"] = signed_out.cookies["messages"].value

    assert "signed out" in page_words(browser.get("/")).lower()
    assert "signed out" not in page_words(Client().get("/")).lower()


def test_page_made_with_a_token_is_not_cached(client: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.storefront.odd_pages"

    first, second = client.get("/token/"), client.get("/token/")

    assert first.content != second.content
    assert "no-store" in first["Cache-Control"]
    assert "ETag" not in first


@pytest.mark.parametrize("kind", ["nonce", "cookie", "missing", "session"])
def test_page_made_with_something_of_one_request_is_not_cached(client: Client, settings: Any, kind: str) -> None:
    settings.ROOT_URLCONF = "tests.storefront.odd_pages"

    page = client.get(f"/{kind}/")

    assert "ETag" not in page
    assert "no-store" in page["Cache-Control"]


def test_browser_that_has_the_page_is_told_so(client: Client) -> None:
    service = put_on_sale("A")
    address = pages(service)["category"]
    page = client.get(address)

    again = client.get(address, headers={"If-None-Match": page["ETag"]})
    since = client.get(address, headers={"If-Modified-Since": page["Last-Modified"]})

    assert (again.status_code, again.content) == (304, b"")
    assert since.status_code == 304
    assert {"private", "no-cache"} <= set(page["Cache-Control"].split(", "))
    assert {"Cookie", "Accept-Language", "HX-Request"} <= {name.strip() for name in page["Vary"].split(",")}

    Service.objects.filter(pk=service.pk).update(display_name="B")

    assert client.get(address, headers={"If-None-Match": page["ETag"]}).status_code == 200


def test_customer_is_never_told_that_the_visitors_page_is_still_good(client: Client, ann: User) -> None:
    address = pages(put_on_sale("A"))["category"]
    etag = client.get(address)["ETag"]
    client.force_login(ann)

    assert client.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_sync_that_is_applied_shows_at_once(
    client: Client, service: Service, sandbox: Any, client_upstream: Any
) -> None:
    sync_catalog(client=client_upstream, now=timezone.now())
    index, address = reverse("catalog:index"), pages(service)["category"]
    before = client.get(index), client.get(address)
    sandbox.add_service(service=900_002, name="Brand new", type="Default", category="Instagram", rate="1", min=1, max=9)

    sync_catalog(client=client_upstream, now=timezone.now() + timedelta(minutes=15))

    assert client.get(index).content != before[0].content
    assert client.get(address).content != before[1].content
    assert "Brand new" in page_words(client.get(address, {"sort": "newest"}))


def test_rule_that_is_saved_shows_at_once(client: Client) -> None:
    service = put_on_sale("A")
    reprice_services(now=timezone.now())
    list_page, own_page = pages(service)["category"], pages(service)["service"]
    assert "$1.875 per 1,000" in page_words(client.get(list_page))
    assert "$1.875 per 1,000" in page_words(client.get(own_page))

    MarkupRule.objects.create(scope="all", percent=100)
    reprice_services(now=timezone.now())

    assert "$3.00 per 1,000" in page_words(client.get(list_page))
    assert "$3.00 per 1,000" in page_words(client.get(own_page))


def test_rule_that_begins_shows_when_it_begins(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = pages(put_on_sale("A"))["category"]
    now = timezone.now()
    MarkupRule.objects.create(scope="all", percent=100, valid_from=now + timedelta(seconds=60))
    assert "$1.875 per 1,000" in page_words(client.get(address))

    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=61))

    assert "$3.00 per 1,000" in page_words(client.get(address))


@pytest.mark.parametrize("kind", ["index", "category", "search"])
def test_category_that_is_hidden_in_the_admin_is_gone_at_once(client: Client, sam: User, kind: str) -> None:
    service = put_on_sale("Followers")
    put_on_sale("Elsewhere", category="TikTok")
    address = pages(service)[kind]
    desk = Client()
    desk.force_login(sam)
    assert "Instagram" in page_words(client.get(address))

    form = {"display_name": "", "delivery": "link", "rate_per": "", "position": "0", "merged_into": ""}
    saved = desk.post(reverse("admin:catalog_category_change", args=[service.category_id]), form)

    assert saved.status_code == 302, saved.content
    after = client.get(address)
    assert after.status_code == 404 or "Instagram" not in page_words(after)


def with_stock(service: Service, sandbox: Any, stock: int, *, upstream: int) -> Service:
    Service.objects.filter(pk=service.pk).update(stock=stock)
    sandbox.set_service(service.upstream_id, stock=upstream)
    service.refresh_from_db()
    return service


def test_stock_that_changed_shows_within_seconds_on_the_pages_that_tell_it(
    client: Client, service: Service, sandbox: Any
) -> None:
    with_stock(service, sandbox, 5000, upstream=1234)
    telling = [pages(service)[kind] for kind in ("service", "category", "subcategory", "search")]
    for address in telling:
        assert "5,000" in page_words(client.get(address))

    refresh_stock(service)

    assert 0 < cache.ttl(STOCK_KEY) <= settings.STOCK_CACHE_SECONDS
    cache.delete(STOCK_KEY)  # they are over
    forget_process_version()
    for address in telling:
        assert "1,234" in page_words(client.get(address))


def test_stock_that_changed_leaves_the_pages_that_tell_none(client: Client, service: Service, sandbox: Any) -> None:
    with_stock(service, sandbox, 5000, upstream=0)
    others = [pages(service)["home"], pages(service)["index"], reverse("changes"), reverse("sitemap")]
    for address in others:
        client.get(address)

    refresh_stock(service)
    cache.delete(STOCK_KEY)
    forget_process_version()

    assert [statements(lambda address=address: client.get(address)) for address in others] == [0] * 4


def test_service_that_is_sold_out_or_back_says_so_at_once(client: Client, service: Service, sandbox: Any) -> None:
    with_stock(service, sandbox, 5000, upstream=0)
    assert "5,000 in stock" in page_words(client.get(pages(service)["category"]))

    refresh_stock(service)

    for kind in ("service", "category", "search"):
        assert "Sold out" in page_words(client.get(pages(service)[kind]))
    sandbox.set_service(service.upstream_id, stock=700)
    cache.delete(f"stock:{service.pk}")
    refresh_stock(service)
    assert "700 in stock" in page_words(client.get(pages(service)["category"]))


@pytest.mark.django_db(transaction=True)
def test_one_maker_when_many_threads_miss_the_same_then_one_makes_it() -> None:
    made = []

    def ask(_number: int) -> Any:
        try:
            with one_maker("key"):
                version, found = look_up("key")
                if found is None:
                    made.append(1)
                    time.sleep(0.2)
                    store("key", version, found := "made")
                return found
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == ["made"] * 4
    assert len(made) == 1


def test_memory_of_a_process_when_it_is_full_forgets_one_page_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versioned_cache, "MAX_PROCESS_PAGES", 3)
    versioned_cache.forget_process_cache()

    def remembered_after(key: str) -> set[str]:
        store(key, recent_version(), key)
        look_up(key)
        return set(versioned_cache._process_pages)

    for key in ("a", "b"):
        remembered_after(key)
    full = remembered_after("c")
    Service.objects.update(position=F("position") + 1)  # another version: what is remembered is made again
    assert remembered_after("a") == full == {"a", "b", "c"}
    assert len(remembered_after("d") & full) == 2


def test_language_has_pages_of_its_own(client: Client) -> None:
    address = pages(put_on_sale("A"))["category"]
    english = client.get(address)

    client.post(reverse("set_language"), {"language": "ru"})

    assert '<html lang="ru">' in client.get(address).content.decode()
    assert '<html lang="ru">' in Client().get(address, headers={"Accept-Language": "ru"}).content.decode()
    assert Client().get(address).content == english.content


def test_page_when_redis_is_away_is_made_anew(client: Client, settings: Any) -> None:
    address = pages(put_on_sale("A"))["category"]
    there = client.get(address)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}

    away = client.get(address)

    assert away.status_code == 200
    assert away.content == there.content
    Service.objects.update(display_name="Renamed")
    assert "Renamed" in page_words(client.get(address))


@pytest.mark.parametrize("query", ["q=a", "sort=name", "utm_source=x", "sub=1&" + "page=1&" * 30])
def test_page_with_endless_variants_is_not_cached(client: Client, query: str) -> None:
    page = client.get(f"{pages(put_on_sale('A'))['category']}?{query}")

    assert page.status_code == 200
    assert "ETag" not in page


def test_setting_of_zero_caches_nothing(client: Client, settings: Any) -> None:
    settings.PAGE_CACHE_SECONDS = 0

    assert "ETag" not in client.get(pages(put_on_sale("A"))["category"])


def test_setting_that_prices_depend_on_makes_other_pages(client: Client, settings: Any) -> None:
    address = pages(put_on_sale("A"))["category"]
    assert "$1.875 per 1,000" in page_words(client.get(address))

    settings.STORE_NAME = "Another shop"

    assert "Another shop" in page_words(client.get(address))


def test_group_with_another_discount_sees_other_prices(client: Client, ann: User, ben: User) -> None:
    address = pages(put_on_sale("A"))["category"]
    for user, percent in ((ann, 10), (ben, 20)):
        user.group = CustomerGroup.objects.create(name=str(percent), discount_percent=percent)
        user.save(update_fields=["group"])
    client.force_login(ann)
    assert "$1.6875 per 1,000" in page_words(client.get(address))
    client.force_login(ben)
    assert "$1.50 per 1,000" in page_words(client.get(address))

    CustomerGroup.objects.filter(name="20").update(discount_percent=0)

    assert "$1.875 per 1,000" in page_words(client.get(address))


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(
    ("kind", "first", "again", "own"),
    [
        # A visitor's first page, the same again, and a customer's when the shared part is known.
        # Category index 4, what sells, two for the figures, countries, the next prices; session, user, wallet, and how
        # a customer stands: open and last orders, favorites, numbers.
        ("home", 9, 0, 7),
        ("index", 5, 0, 3),
        ("category", 7, 0, 4),  # and the rows, the counts of facts; favorites
        ("search", 7, 0, 4),
    ],
)
def test_page_takes_as_many_statements_whatever_the_size_of_the_catalog(
    client: Client, ann: User, rows: int, kind: str, first: int, again: int, own: int
) -> None:
    for number in range(rows):
        service = put_on_sale(f"Service {number}", subcategory=f"Sub {number}", selling_rate_micros=1)
        put_on_sale("Other", category=f"Category {number}", selling_rate_micros=1)
    address = pages(service)[kind]
    cache.clear()
    no_preferences()
    nothing_told()

    taken = [statements(lambda: client.get(address)) for _each in range(2)]
    client.force_login(ann)
    client.get(address)
    taken.append(statements(lambda: client.get(address)))

    assert taken == [first, again, own]
