"""Stored selling rates say what the price book says, after every kind of change; only what differs is written."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import CustomerGroup, User
from catalog import tasks
from catalog.models import Category, MarkupRule, PriceList, Service
from catalog.pricing import price_book, price_version, repricing
from catalog.pricing.repricing import lock_prices, reprice_if_due, reprice_services
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.listing_rows import put_on_sale
from upstream.client import Client as Upstream

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def put_services_on_sale() -> list[Service]:
    """Services of every unit, in two categories, one of them withdrawn, one with its own price."""
    return [
        put_on_sale("plain"),
        put_on_sale("dear", rate_upstream_micros=987_654_321),
        put_on_sale("likes", subcategory="Likes"),
        put_on_sale("withdrawn", withdrawn_at=NOON),
        put_on_sale("account", category="Accounts", rate_per_override=1),
        put_on_sale("rate override", category="Accounts", rate_override_micros=2_345_678),
        put_on_sale("free", category="Accounts", rate_upstream_micros=0),
    ]


@pytest.fixture
def listings(settings: Any) -> list[Service]:
    """Seven services, priced at the default markup of 25 % at noon."""
    settings.DEFAULT_MARKUP_PERCENT = Decimal(25)
    settings.UPSTREAM_EXCHANGE_RATE = Decimal(1)
    services = put_services_on_sale()
    reprice_services(now=NOON)
    return services


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def stored() -> dict[str, tuple[int, int]]:
    rows = Service.objects.values_list("name", "selling_rate_micros", "selling_per_thousand_micros")
    return {name: (rate, per_thousand) for name, rate, per_thousand in rows}


def by_the_book(now: datetime | None = None) -> dict[str, tuple[int, int]]:
    book = price_book(None, now=now)
    return {
        service.name: (book.rate_micros(service), book.rate_per_thousand_micros(service))
        for service in Service.objects.select_related("category")
    }


def likes() -> Service:
    return Service.objects.get(name="likes")


def test_reprice_services_when_nothing_was_stored_stores_what_the_book_says(listings: list[Service]) -> None:
    assert stored() == by_the_book(NOON)
    assert stored()["plain"] == (1_875_000, 1_875_000)
    assert stored()["account"] == (1_875_000, 1_875_000_000)
    assert stored()["rate override"] == (2_345_678, 2_345_678)


CHANGES_OF_RULES: dict[str, Callable[[], object]] = {
    "for everything": lambda: MarkupRule.objects.create(scope="all", percent=40, rounding=".99"),
    "for a category": lambda: MarkupRule.objects.create(
        scope="category", category=Category.objects.get(name="Accounts"), percent=40, fixed_micros=1, floor_percent=70
    ),
    "for a subcategory": lambda: MarkupRule.objects.create(
        scope="subcategory", subcategory=likes().subcategory, percent=40
    ),
    "for a service": lambda: MarkupRule.objects.create(scope="service", service=likes(), percent=40),
    "one began": lambda: MarkupRule.objects.create(scope="all", percent=40, valid_from=NOON + timedelta(seconds=1)),
}
CHANGES_OF_SETTINGS = {
    "DEFAULT_MARKUP_PERCENT": Decimal("33.33"),
    "FLOOR_MARGIN_PERCENT": Decimal(60),
    "UPSTREAM_EXCHANGE_RATE": Decimal("92.5"),
    "DEFAULT_RATE_PER": 1,
}


@pytest.mark.parametrize("change", CHANGES_OF_RULES.values(), ids=CHANGES_OF_RULES)
def test_reprice_if_due_when_a_rule_comes_and_goes_stores_what_the_book_says(
    listings: list[Service], change: Callable[[], object]
) -> None:
    later = NOON + timedelta(minutes=1)
    before, version = stored(), price_version()
    change()

    assert reprice_if_due(now=later)
    assert stored() == by_the_book(later) != before
    assert price_version() == version + 1

    MarkupRule.objects.update(valid_until=later)
    assert reprice_if_due(now=later)
    assert stored() == by_the_book(later) == before
    assert price_version() == version + 2


@pytest.mark.parametrize("name", CHANGES_OF_SETTINGS)
def test_reprice_if_due_when_a_setting_changes_stores_what_the_book_says(
    listings: list[Service], settings: Any, name: str
) -> None:
    settings.UPSTREAM_CURRENCY = "EUR"  # at the rate of 1, until it is changed
    before = stored()
    setattr(settings, name, CHANGES_OF_SETTINGS[name])

    assert reprice_if_due(now=NOON)

    assert stored() == by_the_book(NOON) != before


def test_reprice_if_due_when_nothing_began_or_ended_does_nothing_after_two_reads(
    listings: list[Service], django_assert_num_queries: Any
) -> None:
    MarkupRule.objects.create(scope="all", percent=40, valid_from=NOON + timedelta(days=1))
    MarkupRule.objects.create(scope="all", percent=50, valid_until=NOON)
    before = PriceList.objects.values().get()

    with django_assert_num_queries(2):
        assert reprice_if_due(now=NOON + timedelta(hours=1)) is None

    assert PriceList.objects.values().get() == before


def test_price_version_when_only_a_floor_for_groups_changed_grows_although_no_stored_rate_does(
    listings: list[Service], settings: Any
) -> None:
    version = price_version()
    settings.FLOOR_MARGIN_PERCENT = Decimal(5)

    done = reprice_if_due(now=NOON)

    assert done is not None
    assert (done.changed, done.version, price_version()) == (0, version + 1, version + 1)


def test_reprice_services_when_few_rates_differ_writes_only_those(listings: list[Service]) -> None:
    MarkupRule.objects.create(scope="service", service=likes(), percent=40)

    assert reprice_services(now=NOON).changed == 1
    version = price_version()
    again = reprice_services(now=NOON)

    assert (again.changed, again.version, price_version()) == (0, version, version)


def test_reprice_services_says_what_a_visitor_pays_whatever_the_groups(listings: list[Service]) -> None:
    CustomerGroup.objects.create(name="Friends", discount_percent=50)

    assert reprice_services(now=NOON).changed == 0


def test_reprice_services_when_they_are_too_many_to_wait_for_leaves_them_to_a_worker(
    listings: list[Service], django_capture_on_commit_callbacks: Any
) -> None:
    before, version = stored(), price_version()
    MarkupRule.objects.create(scope="all", percent=40)

    with django_capture_on_commit_callbacks() as messages:
        done = reprice_services(now=NOON, at_most=3)

    assert (done.changed, done.postponed, done.version) == (0, True, version + 1)
    assert (stored(), len(messages)) == (before, 1)

    tasks.reprice_services()
    assert stored() == by_the_book() != before
    assert price_version() == version + 2


def test_reprice_services_when_a_categorys_many_services_are_left_then_beat_finds_them(
    listings: list[Service],
) -> None:
    Category.objects.update(rate_per=1)
    instagram = Service.objects.filter(category__name="Instagram")

    assert reprice_services(now=NOON, services=instagram, at_most=1).postponed
    assert reprice_if_due(now=NOON)

    assert stored() == by_the_book(NOON)


@pytest.mark.parametrize(
    "form",
    [
        {"rate_override_micros": "4.50"},
        {"rate_per_override": "1"},
        {"rate_override_micros": "4.50", "rate_per_override": "1"},
    ],
)
def test_service_when_the_admin_sets_its_price_or_unit_then_stored_is_the_book(
    desk: Client, listings: list[Service], form: dict
) -> None:
    before, version = stored(), price_version()
    page = reverse("admin:catalog_service_change", args=[likes().pk])

    answer = desk.post(page, {"visible": "on", "position": "0", **form})

    assert answer.status_code == 302
    assert stored() == by_the_book() != before
    assert price_version() == version + 1


def test_category_when_the_admin_sets_its_unit_then_stored_is_the_book(desk: Client, listings: list[Service]) -> None:
    before = stored()
    page = reverse("admin:catalog_category_change", args=[likes().category_id])

    desk.post(page, {"delivery": "link", "rate_per": "1", "visible": "on", "position": "0"})

    assert stored() == by_the_book() != before


def test_markup_rule_when_the_admin_saves_and_deletes_it_then_stored_is_the_book(
    desk: Client, listings: list[Service]
) -> None:
    before = stored()
    form = {"scope": "category", "category": likes().category_id, "percent": "40", "fixed_micros": "0"}

    desk.post(reverse("admin:catalog_markuprule_add"), form)
    made = MarkupRule.objects.get()
    assert stored() == by_the_book() != before

    desk.post(reverse("admin:catalog_markuprule_change", args=[made.pk]), {**form, "percent": "50"})
    assert stored() == by_the_book()
    assert stored()["plain"] == (2_250_000, 2_250_000)

    desk.post(reverse("admin:catalog_markuprule_delete", args=[made.pk]), {"post": "yes"})
    assert stored() == by_the_book() == before

    made = MarkupRule.objects.create(scope="all", percent=90)
    reprice_services(now=NOON)
    everything = {"action": "delete_selected", "_selected_action": [made.pk], "post": "yes"}
    desk.post(reverse("admin:catalog_markuprule_changelist"), everything)
    assert stored() == by_the_book() == before


def test_sync_catalog_when_services_are_new_and_changed_then_stored_is_the_book(
    sandbox: Any, client_upstream: Upstream
) -> None:
    sync_catalog(client=client_upstream, now=NOON)
    assert stored() == by_the_book(NOON)
    assert 0 not in {rate for rate, _per_thousand in stored().values()}

    MarkupRule.objects.create(scope="all", percent=70)
    reprice_if_due(now=NOON)
    first = Service.objects.order_by("pk").first()
    assert first is not None
    sandbox.set_service(first.upstream_id, rate="9.87")
    sync_catalog(client=client_upstream, now=NOON + timedelta(hours=1))

    first.refresh_from_db()
    assert first.rate_upstream_micros == 9_870_000
    assert stored() == by_the_book(NOON)


@pytest.mark.django_db(transaction=True)
def test_reprice_services_when_somebody_changes_prices_meanwhile_waits_and_counts_those() -> None:
    service = put_on_sale("plain")
    reprice_services(now=NOON)
    locked = threading.Event()

    def change_price() -> None:
        try:
            with transaction.atomic():
                lock_prices()
                Service.objects.filter(pk=service.pk).update(rate_override_micros=9_000_000)
                locked.set()
                threading.Event().wait(0.3)
        finally:
            connection.close()

    other = threading.Thread(target=change_price)
    other.start()
    assert locked.wait(10)
    reprice_services(now=NOON)
    other.join()

    assert stored() == by_the_book(NOON) == {"plain": (9_000_000, 9_000_000)}


def test_reprice_services_when_rates_are_absurd_stores_the_most_a_column_holds(listings: list[Service]) -> None:
    Service.objects.filter(name="account").update(rate_upstream_micros=2**62)

    reprice_services(now=NOON)

    assert stored()["account"][1] == 2**63 - 1
    assert repricing.reprice_services(now=NOON).changed == 0
