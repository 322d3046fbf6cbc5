"""What changed: written with the syncs and the prices of a day, shown with the reader's own prices, and as a feed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup, User
from catalog.models import Category, MarkupRule, PricePoint, Service, ServiceNews, SyncRun
from catalog.operations.service_news import KEPT_DAYS, clean_service_news, write_days_news
from catalog.pricing.repricing import reprice_services
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.listing_rows import put_on_sale
from tests.catalog.syncs import raise_rates
from tests.pages import markup, page_words

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Said = list[tuple[str, str]]


def told() -> Said:
    """What is written down, by kind and name, the newest last."""
    return [(row.kind, row.service.name) for row in ServiceNews.objects.order_by("id").select_related("service")]


def known_since(service: Service, moment: datetime) -> None:
    Service.objects.filter(pk=service.pk).update(first_seen_at=moment)


def lines_of(page: Any) -> list[str]:
    """The lines of the page, as they are read."""
    rows = re.findall(r'<ul class="changes">(.*?)</ul>', markup(page), re.DOTALL)
    items = [item for row in rows for item in re.findall(r"<li>(.*?)</li>", row, re.DOTALL)]
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items]


@pytest.fixture
def old() -> Service:
    """A service that the shop has known for long, with its price of then."""
    service = put_on_sale("Old")
    known_since(service, NOON - 100 * DAY)
    reprice_services(now=NOON)
    service.refresh_from_db()
    PricePoint.objects.create(
        service=service, day=(NOON - 90 * DAY).date(), selling_per_thousand_micros=service.selling_per_thousand_micros
    )
    return service


# --- What is written down ---------------------------------------------------------------------------------------------
@pytest.mark.sqlite
def test_days_news_when_prices_move_then_they_are_told_once_against_yesterday(old: Service) -> None:
    rule = MarkupRule.objects.create(scope="all", percent=Decimal(50))
    reprice_services(now=NOON)
    assert write_days_news(now=NOON) == 1
    [news] = ServiceNews.objects.all()
    assert (news.kind, news.before_micros, news.after_micros, news.percent) == ("dearer", 1_875_000, 2_250_000, 20)

    MarkupRule.objects.filter(pk=rule.pk).update(percent=Decimal(10))
    reprice_services(now=NOON)
    write_days_news(now=NOON + timedelta(hours=1))
    assert told() == [("cheaper", "Old")]
    assert ServiceNews.objects.get().before_micros == 1_875_000  # not what it was an hour ago

    assert write_days_news(now=NOON + DAY) == 0  # nothing has happened since
    MarkupRule.objects.filter(pk=rule.pk).update(percent=Decimal(25))
    reprice_services(now=NOON + DAY)
    write_days_news(now=NOON + DAY)
    assert told() == [("cheaper", "Old"), ("dearer", "Old")]


def test_days_news_when_a_price_is_back_at_the_end_of_the_day_then_it_is_no_news(old: Service) -> None:
    rule = MarkupRule.objects.create(scope="all", percent=Decimal(50))
    reprice_services(now=NOON)
    write_days_news(now=NOON)
    rule.delete()
    reprice_services(now=NOON)

    assert write_days_news(now=NOON + timedelta(hours=1)) == 0
    assert told() == []


def test_days_news_when_a_price_moves_by_less_than_a_percent_then_it_is_rounding(old: Service) -> None:
    Service.objects.update(selling_per_thousand_micros=1_880_000)

    assert write_days_news(now=NOON) == 0


def test_days_news_of_the_first_day_are_none(db: None) -> None:
    known_since(put_on_sale("First"), NOON - timedelta(hours=2))
    known_since(put_on_sale("Second"), NOON - timedelta(hours=1))

    assert write_days_news(now=NOON) == 0
    known_since(put_on_sale("Later"), NOON + 2 * DAY)
    known_since(put_on_sale("Later and gone", withdrawn_at=NOON + 2 * DAY), NOON + 2 * DAY)
    known_since(put_on_sale("Hidden", visible=False), NOON + 2 * DAY)
    write_days_news(now=NOON + 2 * DAY)

    assert told() == [("new", "Later")]


@pytest.mark.sqlite
def test_sync_when_services_come_go_return_and_change_then_the_day_says_so(sandbox: Any, client_upstream: Any) -> None:
    def sync(now: datetime) -> SyncRun:
        run = sync_catalog(client=client_upstream, now=now)
        assert run.status in ("applied", "unchanged"), run.error
        return run

    now = timezone.now()
    sync(now)
    Category.objects.update(rate_confirmed_at=now)
    Service.objects.update(first_seen_at=now - 100 * DAY)
    PricePoint.objects.update(day=timezone.localdate(now) - 2 * DAY)
    assert told() == []
    gone, cheaper, dearer = Service.objects.order_by("pk")[:3]
    row = sandbox.service(gone.upstream_id)
    sandbox.remove_service(gone.upstream_id)
    raise_rates(sandbox, [cheaper.upstream_id], 0.8)
    raise_rates(sandbox, [dearer.upstream_id], 1.5)
    sandbox.add_service(**{**row, "service": 990_001, "name": "Brand new"})

    sync(now)
    sync(now)  # withdrawn after two syncs without it

    assert sorted(told()) == sorted(
        [("gone", gone.name), ("cheaper", cheaper.name), ("dearer", dearer.name), ("new", "Brand new")]
    )
    # It left yesterday, and comes back today.
    ServiceNews.objects.update(day=timezone.localdate(now) - DAY)
    Service.objects.filter(pk=gone.pk).update(withdrawn_at=now - DAY)
    gone.changes.update(created_at=now - DAY)
    PricePoint.objects.filter(day=timezone.localdate(now)).update(day=timezone.localdate(now) - DAY)
    Service.objects.filter(name="Brand new").update(first_seen_at=now - DAY)
    sandbox.restore_service(gone.upstream_id)
    sync(now)
    assert ServiceNews.objects.filter(day=timezone.localdate(now)).values_list("kind", flat=True).get() == "back"


def test_news_when_old_are_forgotten(old: Service) -> None:
    young = put_on_sale("Young")
    today = timezone.localdate(NOON)
    ServiceNews.objects.create(service=old, day=today - (KEPT_DAYS + 1) * DAY, kind="new")
    ServiceNews.objects.create(service=young, day=today - KEPT_DAYS * DAY, kind="new")

    assert clean_service_news(now=NOON) == 1
    assert told() == [("new", "Young")]


# --- What is shown ----------------------------------------------------------------------------------------------------
@pytest.fixture
def news() -> Callable[..., ServiceNews]:
    """Write one down: `news("Name", "cheaper", days=3, category="TikTok", before=…, after=…)`."""

    def write(
        name: str,
        kind: str,
        *,
        days: int = 0,
        category: str = "Instagram",
        before: int = 0,
        after: int = 0,
        **fields: Any,
    ) -> ServiceNews:
        service = put_on_sale(name, category=category, **fields)
        prices = {"before_micros": before, "after_micros": after} if before else {}
        day = timezone.localdate() - timedelta(days=days)
        return ServiceNews.objects.create(service=service, day=day, kind=kind, **prices)

    return write


def test_page_shows_day_by_day_what_changed_and_what_it_costs_now(client: Client, news: Any) -> None:
    news("Longer ago", "gone", days=3, withdrawn_at=timezone.now())
    news("Fell", "cheaper", days=1, before=2_500_000, after=1_875_000, category="TikTok")
    news("Fresh", "new")
    reprice_services(now=timezone.now())

    page = client.get(reverse("changes"))

    assert lines_of(page) == [
        "New Fresh Instagram $1.875 per 1,000",
        "Cheaper, −25% Fell TikTok $1.875 per 1,000",
        "No longer sold Longer ago Instagram",
    ]
    assert markup(page).count("<section") == 3
    assert "1.50" not in page_words(page)  # what it costs the shop


def test_page_shows_customers_of_a_group_their_own_prices(client: Client, news: Any, ann: User) -> None:
    news("Fell", "cheaper", before=2_500_000, after=1_875_000)
    reprice_services(now=timezone.now())
    User.objects.filter(pk=ann.pk).update(group=CustomerGroup.objects.create(name="Friends", discount_percent=10))
    client.force_login(ann)

    assert lines_of(client.get(reverse("changes"))) == ["Cheaper, −25% Fell Instagram $1.6875 per 1,000"]


def test_page_hides_what_is_hidden_and_prices_that_are_not_confirmed(client: Client, news: Any) -> None:
    news("Hidden", "new", visible=False)
    news("Hidden place", "new", category="Secret")
    news("Untold", "dearer", category="Unsure", before=1, after=2)
    news("Untold but new", "new", category="Unsure")
    news("Long ago", "new", days=31)
    Category.objects.filter(name="Secret").update(visible=False)
    Category.objects.filter(name="Unsure").update(rate_confirmed_at=None)

    assert lines_of(client.get(reverse("changes"))) == ["New Untold but new Unsure"]


def test_page_when_narrowed_shows_one_kind_or_category_and_keeps_that_on_the_next_page(
    client: Client, news: Any
) -> None:
    for number in range(60):
        news(f"A{number}", "new")
    other = news("B", "gone", category="TikTok", withdrawn_at=timezone.now())
    news("C", "new", category="TikTok")

    first = client.get(reverse("changes"), {"kind": "new"})
    second = client.get(reverse("changes"), {"kind": "new", "page": "2"})
    of_one = client.get(reverse("changes"), {"category": other.service.category_id})
    none = client.get(reverse("changes"), {"category": other.service.category_id, "kind": "dearer"})

    assert (len(lines_of(first)), len(lines_of(second))) == (50, 11)
    assert "?kind=new&amp;page=2" in first.content.decode()
    assert [line.split()[:2] for line in lines_of(of_one)] == [["New", "C"], ["No", "longer"]]
    assert "Nothing of this kind has changed" in page_words(none)


@pytest.mark.parametrize(
    "query", ["kind=x", "category=99999", "category=%00", "page=x", "kind=new&kind=gone", "before=1'"]
)
def test_page_of_nonsense_is_the_page(client: Client, news: Any, query: str) -> None:
    news("Fresh", "new")

    assert client.get(f"{reverse('changes')}?{query}").status_code == 200


def test_page_takes_the_same_queries_however_many_there_are(client: Client, news: Any, ann: User) -> None:
    client.force_login(ann)

    def asked() -> int:
        client.get(reverse("changes"))
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("changes"))
        return len([each for each in captured if "catalog_version" not in each["sql"]])

    news("One", "new")
    few = asked()
    for number in range(20):
        news(f"More {number}", "new", category=f"Place {number % 7}")

    assert asked() == few


def test_page_when_cached_then_news_of_a_day_make_it_new(client: Client, old: Service) -> None:
    assert lines_of(client.get(reverse("changes"))) == []
    Service.objects.filter(pk=old.pk).update(first_seen_at=timezone.now() - 200 * DAY)
    MarkupRule.objects.create(scope="all", percent=Decimal(50))
    reprice_services(now=timezone.now())
    write_days_news(now=timezone.now())

    assert lines_of(client.get(reverse("changes"))) == ["Price up, +20% Old Instagram $2.25 per 1,000"]


# --- The feed ---------------------------------------------------------------------------------------------------------
def test_feed_is_atom_with_addresses_of_the_shop_and_nothing_of_ours_in_it(client: Client, news: Any) -> None:
    fell = news("Fell <b>&", "cheaper", days=1, before=2_500_000, after=1_875_000)
    news("Fresh", "new")
    reprice_services(now=timezone.now())

    answer = client.get(reverse("changes_feed"), HTTP_HOST="127.0.0.1")

    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles == ["New: Fresh", "Cheaper, −25%: Fell <b>&"]
    second = feed.findall(f"{ATOM}entry")[1]
    address = settings.SITE_URL + reverse("orders:place", args=[fell.service_id])
    assert second.find(f"{ATOM}link").attrib["href"] == address
    assert second.findtext(f"{ATOM}id") == f"{address}#{fell.day:%Y-%m-%d}-cheaper"
    assert second.findtext(f"{ATOM}summary") == "Instagram · $1.875 per 1,000"
    links = {link.attrib["rel"]: link.attrib["href"] for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == settings.SITE_URL + reverse("changes_feed")
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == settings.STORE_NAME  # RFC 4287 asks for one
    assert "1.50" not in answer.content.decode()


def test_feed_when_a_category_is_called_like_markup_then_readers_are_told_text(client: Client, news: Any) -> None:
    service = news("Fresh", "new").service
    Category.objects.filter(pk=service.category_id).update(name="<script>alert(1)</script> & more")
    reprice_services(now=timezone.now())

    feed = ElementTree.fromstring(client.get(reverse("changes_feed")).content)  # noqa: S314 - our own

    # The summary is HTML, so what is text in it is escaped once more.
    assert "&lt;script&gt;" in (feed.findtext(f"{ATOM}entry/{ATOM}summary") or "")


def test_feed_when_asked_again_costs_no_query(client: Client, news: Any) -> None:
    news("Fresh", "new")
    client.get(reverse("changes_feed"))

    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("changes_feed"))

    assert [each for each in captured if "catalog_version" not in each["sql"]] == []
