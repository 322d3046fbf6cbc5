"""Lines of lists that are kept: written once for whoever sees the same, and never older than the catalog."""

from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup, User
from catalog.browse import kept_lines
from catalog.browse.answers import Shop
from catalog.caching.version import STOCK_KEY, forget_process_version
from catalog.models import Category, Service
from catalog.pricing.repricing import reprice_services
from catalog.word_index.kept import keep_word_index
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


@pytest.fixture
def views() -> list[Service]:
    """Two services that a search finds in the index of words, one of them with stock."""
    kept_lines._kept.clear()
    made = [put_on_sale("Views, real"), put_on_sale("Views, fast", stock=500)]
    reprice_services(now=timezone.now())
    keep_word_index()
    return made


def found(client: Client, words: str) -> str:
    return client.get(reverse("catalog:search"), {"q": words}).content.decode()


def test_line_that_is_kept_is_not_read_again_and_leads_back_to_the_search_it_stands_in(
    views: list[Service], client: Client, django_assert_num_queries: Any
) -> None:
    found(client, "views")

    with django_assert_num_queries(0):
        page = found(client, "real views")

    assert "Views, real" in page
    assert quote(reverse("catalog:search", query={"q": "real views"}), safe="") in page
    assert "q%3Dviews" not in page  # of the search it was written for


def test_line_when_its_service_has_changed_is_written_anew(views: list[Service], client: Client) -> None:
    found(client, "views")
    Service.objects.filter(pk=views[0].pk).update(display_name="Views, better", paused_because="Away")
    keep_word_index()

    page = found(client, "views")

    assert "Views, better" in page
    assert "Paused" in page


def test_line_when_stock_has_changed_tells_it_within_seconds(views: list[Service], client: Client) -> None:
    assert "500 in stock" in found(client, "views")
    Service.objects.filter(pk=views[1].pk).update(stock=0, changed_at=timezone.now())

    cache.delete(STOCK_KEY)  # they are over
    forget_process_version()

    assert "Sold out" in found(client, "views")


def price(page: str) -> str:
    return page.split('class="price"><b>')[1].split("</b>")[0]


def test_line_has_the_prices_of_who_reads_it(views: list[Service], client: Client, ann: User) -> None:
    for_visitors = found(client, "views")
    ann.group = CustomerGroup.objects.create(name="Resellers", discount_percent=50)
    ann.save()
    client.login(username=ann.email, password=PASSWORD)

    of_the_group = found(client, "views")

    assert price(of_the_group) != price(for_visitors)
    assert 'data-favorite="' in of_the_group
    client.logout()
    assert price(found(client, "views")) == price(for_visitors)


def test_lines_when_there_are_many_are_not_kept_beyond_a_number(
    views: list[Service], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_lines, "MAX_LINES", 1)

    pages = [found(client, "views") for _each in range(2)]

    assert all(name in page for page in pages for name in ("Views, real", "Views, fast"))
    assert max(len(lines) for _version, lines in kept_lines._kept.values()) <= 1


def test_line_when_its_category_changes_while_the_page_is_made_is_not_kept_for_later_pages(
    views: list[Service], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has the categories of the version it began with; whoever comes later has those of now."""
    answer = Shop.answer

    def meanwhile(shop: Shop, query: Any) -> Any:
        monkeypatch.setattr(Shop, "answer", answer)
        Category.objects.update(rate_per=1)  # staff finds that rates are for one piece
        return answer(shop, query)

    monkeypatch.setattr(Shop, "answer", meanwhile)
    found(client, "views real")
    keep_word_index()

    assert "<small>per 1,000</small>" not in found(client, "views fast")
