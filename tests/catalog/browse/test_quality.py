"""Service quality where it is shown: in lists, on the page of a service and beside its order form."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from catalog.browse.durations import write_duration
from catalog.browse.paging import SERVICES_PER_PAGE
from catalog.browse.quality import shown_quality
from catalog.models import Service, ServiceQuality, shares_of
from storefront.configuration.quality import Quality
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words
from tests.preferences.known import no_preferences
from tests.storefront.admin_rows import make_quality
from tests.support.told import nothing_told

pytestmark = pytest.mark.django_db
SEARCH = "catalog:search"


def page_of(service: Service) -> str:
    return reverse("orders:place", args=[service.pk])


def rows_of(page: Any) -> list[str]:
    """Each line of a list, as text."""
    rows = re.findall(r'<article class="service-row">(.*?)</article>', page.content.decode(), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def sql_of(client: Client, address: str) -> list[str]:
    cache.clear()
    no_preferences()
    nothing_told()
    with CaptureQueriesContext(
        connection,
    ) as context:
        client.get(address)
    return [query["sql"] for query in context.captured_queries]


def test_list_says_how_fast_measured_services_are_and_nothing_of_others(client: Client) -> None:
    measured, untimed, _unmeasured = (put_on_sale(name) for name in ("A", "B", "C"))
    make_quality(measured)
    make_quality(untimed, done_seconds=None)

    rows = rows_of(client.get(reverse(SEARCH)))

    assert "Done in 2 h 94% completed" in rows[0]
    assert all("Done" not in row and "completed" not in row for row in rows[1:])


def test_list_when_a_service_is_measured_again_then_the_next_page_says_so(client: Client) -> None:
    service = put_on_sale("A")
    make_quality(service)
    assert "Done in 2 h" in page_words(client.get(reverse(SEARCH)))
    assert "Usually done in 2 hours" in page_words(client.get(page_of(service)))

    ServiceQuality.objects.update(start_seconds=60)  # of the table alone: only the service's own page shows it

    assert "Usually starts in 1 minute" in page_words(client.get(page_of(service)))


@pytest.mark.parametrize("address", ["list", "fastest"])
def test_list_needs_as_many_queries_however_many_are_measured(client: Client, address: str) -> None:
    service = put_on_sale("A")
    make_quality(service)
    url = reverse(SEARCH, query={"sort": "fastest"} if address == "fastest" else {})
    one = sql_of(client, url)
    for number in range(20):
        make_quality(put_on_sale(f"Service {number}"))

    many = sql_of(client, url)

    assert len(many) == len(one)
    assert not [sql for sql in many if "servicequality" in sql]  # the services' own columns say it


def test_list_sorted_by_speed_ends_with_what_was_never_measured_page_after_page(client: Client) -> None:
    slow, fast = put_on_sale("Slow"), put_on_sale("Fast")
    for number in range(SERVICES_PER_PAGE):
        put_on_sale(f"Unknown {number}")
    make_quality(slow, done_seconds=7200)
    make_quality(fast, done_seconds=60)

    first = client.get(reverse(SEARCH, query={"sort": "fastest"}))
    rows = rows_of(first)

    assert (rows[0].split()[0], rows[1].split()[0], len(rows)) == ("Fast", "Slow", SERVICES_PER_PAGE)
    last = client.get(reverse(SEARCH, query={"sort": "fastest", "page": 2}))
    assert [row.split()[0] for row in rows_of(last)] == ["Unknown", "Unknown"]
    beyond = client.get(reverse(SEARCH, query={"sort": "fastest", "after": f"60~{fast.pk}"}))
    assert rows_of(beyond)[0].split()[0] == "Slow"


def test_service_page_says_it_in_figures_in_words_and_as_a_drawing(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    make_quality(service)

    for signed_in in (False, True):
        if signed_in:
            client.force_login(ann)
        page = client.get(page_of(service))
        words = page_words(page)

        assert "Usually starts in 12 minutes 9 in 10 within 30 minutes" in words
        assert "Usually done in 2 hours 9 in 10 within 3 hours" in words
        assert "94% 4% partial, 2% refunded" in words
        assert "Usually starts in 12 minutes and is done in 2 hours." in words  # beside the form
        assert "is done in 2 hours. 94% completed." in words
        assert "200 orders in 30 days, from payment to the end" in words
        drawing = re.search(r'<svg\s+class="sparkline".*?</svg>', page.content.decode(), re.DOTALL)
        assert drawing is not None
        assert 'aria-label="from 1 hour to 3 hours"' in drawing[0]
        assert drawing[0].count("<rect") == 28 + 1


def test_service_page_of_one_never_measured_says_nothing(client: Client) -> None:
    words = page_words(client.get(page_of(put_on_sale("A"))))

    assert "Usually" not in words
    assert "How it usually goes" not in words


def test_new_services_are_marked_after_the_first_day_of_the_shop_and_for_two_weeks(
    client: Client, settings: Any
) -> None:
    now = timezone.now()
    ages = {"Opening": 100, "Old": 15, "Fresh": 13, "Today": 0}
    services = {name: put_on_sale(name, first_seen_at=now - timedelta(days=days)) for name, days in ages.items()}

    def marked() -> list[str]:
        cache.clear()
        return [row.split()[0] for row in rows_of(client.get(reverse(SEARCH))) if " New " in f" {row} "]

    assert marked() == ["Fresh", "Today"]
    badges = {name: f"Service {service.pk} Followers New" for name, service in services.items()}
    said = [name for name, service in services.items() if badges[name] in page_words(client.get(page_of(service)))]
    assert said == ["Fresh", "Today"]
    settings.QUALITY = Quality(days=30, least_orders=10, new_days=0)
    assert marked() == []
    settings.QUALITY = Quality(days=30, least_orders=10, new_days=14)
    Service.objects.filter(pk=services["Opening"].pk).update(first_seen_at=now - timedelta(days=13.5))
    assert marked() == ["Today"]  # found on the day the shop began are "Opening" and "Fresh"


def test_shown_quality_when_days_are_alike_or_few_or_one_is_far_off() -> None:
    service = put_on_sale("A")
    quality = make_quality(service, by_day=[3600, None, 3600, 3600, 360_000])

    def drawn(by_day: list[int | None]) -> Any:
        quality.by_day = by_day
        service.quality = quality
        shown = shown_quality(service)
        return shown and shown.sparkline

    assert [bar.height for bar in drawn([3600, None, 3600, 3600, 360_000]).bars] == [12, 12, 12, 36]
    assert drawn([3600, 3600, 3600]).words == "always about 1 hour"
    assert drawn([3600, None, 3600]) is None


@pytest.mark.parametrize(
    ("counts", "shares"),
    [((200, 0, 0), (100, 0, 0)), ((1999, 0, 1), (99, 0, 1)), ((94, 4, 2), (94, 4, 2)), ((0, 0, 3), (0, 0, 100))],
)
def test_shares_of(counts: tuple[int, int, int], shares: tuple[int, int, int]) -> None:
    assert shares_of(*counts) == shares


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (60, "1 minute"),
        (720, "12 minutes"),
        (3600, "1 hour"),
        (8100, "2 h 15 min"),
        (90_000, "25 hours"),
        (259_200, "3 days"),
    ],
)
def test_write_duration(seconds: int, words: str) -> None:
    with translation.override("en"):
        assert write_duration(seconds) == words
