"""What a sync changes in the catalog, and what it leaves alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Delivery, MarkupRule, RateUnit, Service, Subcategory, SyncRun
from catalog.operations.overrides import refresh_search_text
from catalog.sync.sync_catalog import sync_catalog
from storefront.demo.setup import confirm_sandbox_units
from upstream.client import Client
from upstream.sandbox.catalog import PIECES_PER_RATE, kind_of
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
Sync = Callable[..., SyncRun]


@pytest.fixture
def sync(client_upstream: Client) -> Sync:
    """Run the next sync, a quarter of an hour after the one before, or after `later`."""
    clock = [NOW - QUARTER]

    def run(later: timedelta = QUARTER, *, in_full: bool = False) -> SyncRun:
        clock[0] += later
        return sync_catalog(client=client_upstream, now=clock[0], in_full=in_full)

    return run


def counts(run: SyncRun) -> tuple[str, int, int, int, int]:
    return run.status, run.added, run.changed, run.withdrawn, run.returned


def stored() -> list[tuple]:
    return list(Service.objects.order_by("id").values_list())


def asked(sandbox: Sandbox) -> list[tuple[str | None, str | None]]:
    """The (category, subcategory) filters of the requests for services so far, those without a filter left out."""
    calls = [call["params"] for call in sandbox.requests if call["action"] == "services"]
    return [(call.get("category"), call.get("subcategory")) for call in calls if call.get("subcategory")]


def test_sync_catalog_when_the_shop_is_empty_takes_every_service(sync: Sync, sandbox: Sandbox) -> None:
    run = sync()

    assert counts(run) == ("applied", 60, 0, 0, 0)
    assert (run.total, run.set_aside, run.error, run.read_in_full) == (60, [], "", True)
    assert run.requests == len(sandbox.requests)
    service = Service.objects.select_related("category", "subcategory").get(upstream_id=1)
    assert service.name == "Instagram Followers"
    assert service.type == "Default"
    assert service.category.name == "Instagram"
    assert service.subcategory.name == "Followers"
    assert service.rate_upstream_micros == 500_000
    assert (service.min_quantity, service.max_quantity, service.stock) == (100, 10_000, 10_000)
    assert (service.refill, service.cancel) == (True, False)
    assert service.search_text == "instagram followers instagram followers"
    assert (service.missed_syncs, service.withdrawn_at) == (0, None)
    assert (service.first_seen_at, service.changed_at) == (NOW, NOW)
    assert (service.display_name, service.description, service.visible, service.position) == ("", "", True, 0)
    assert (service.delivery_override, service.rate_per_override, service.paused_because) == ("", None, "")
    assert Service.objects.filter(subcategory=None).count() == 0


def test_sync_catalog_when_it_ends_leaves_its_duration(sync: Sync) -> None:
    run = sync()

    assert run.started_at == NOW
    assert NOW < run.finished_at < NOW + timedelta(minutes=1)


def test_sync_catalog_when_nothing_changed_writes_nothing_and_asks_little(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    before = stored()
    sent = len(sandbox.requests)

    run = sync()

    assert counts(run) == ("unchanged", 0, 0, 0, 0)
    assert [call["action"] for call in sandbox.requests[sent:]] == ["balance", "categories", "services"]
    assert (run.requests, run.read_in_full) == (3, False)
    assert stored() == before


def test_sync_catalog_when_nothing_changed_issues_the_same_few_statements_for_any_size(
    sync: Sync, sandbox: Sandbox
) -> None:
    counts = []
    for services in (20, 400):
        sandbox.reset(services=services)
        sync()
        with CaptureQueriesContext(connection) as statements:
            sync()
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 21


def test_sync_catalog_when_fields_changed_takes_them_over(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    sandbox.set_service(
        1, name="Better Followers", type="Poll", rate="0.75", min=5, max=50, refill=False, cancel=True, stock=0
    )

    run = sync()

    assert counts(run) == ("applied", 0, 1, 0, 0)
    service = Service.objects.get(upstream_id=1)
    assert (service.name, service.type, service.rate_upstream_micros) == ("Better Followers", "Poll", 750_000)
    assert (service.min_quantity, service.max_quantity, service.stock) == (5, 50, 0)
    assert (service.refill, service.cancel) == (False, True)
    assert service.search_text == "better followers instagram followers"
    assert (service.first_seen_at, service.changed_at) == (NOW, NOW + QUARTER)
    assert Service.objects.filter(changed_at=NOW).count() == 59


def test_sync_catalog_when_the_stock_is_no_longer_limited_stores_none(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    sandbox.set_service(1, stock=None)

    sync()

    assert Service.objects.get(upstream_id=1).stock is None


def test_sync_catalog_when_a_service_is_new_asks_only_its_category(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    sent = len(asked(sandbox))
    sandbox.add_service(service=9001, name="TikTok Likes, new", category="TikTok", subcategory="Likes")

    run = sync()

    assert counts(run) == ("applied", 1, 0, 0, 0)
    assert {category for category, _name in asked(sandbox)[sent:]} == {"TikTok"}
    service = Service.objects.get(upstream_id=9001)
    assert (service.category.name, service.subcategory.name) == ("TikTok", "Likes")
    assert service.first_seen_at == NOW + QUARTER


def test_sync_catalog_when_a_service_is_gone_withdraws_it_after_two_syncs(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    sandbox.remove_service(1)

    first, second, third = sync(), sync(), sync()

    assert counts(first) == ("applied", 0, 0, 0, 0)
    assert counts(second) == ("applied", 0, 0, 1, 0)
    assert counts(third) == ("unchanged", 0, 0, 0, 0)
    service = Service.objects.get(upstream_id=1)
    assert (service.missed_syncs, service.withdrawn_at) == (2, NOW + 2 * QUARTER)


def test_sync_catalog_when_a_service_is_missed_once_and_back_forgets_it(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    before = stored()
    sandbox.remove_service(1)
    sync()
    assert Service.objects.get(upstream_id=1).missed_syncs == 1
    sandbox.restore_service(1)

    run = sync()

    assert counts(run) == ("applied", 0, 0, 0, 0)
    assert stored() == before


def test_sync_catalog_when_a_withdrawn_service_returns_sells_it_again(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    Service.objects.filter(upstream_id=1).update(display_name="Our own name")
    sandbox.remove_service(1)
    sync()
    sync()
    sandbox.restore_service(1)
    sandbox.set_service(1, rate="0.60")

    run = sync()

    assert counts(run) == ("applied", 0, 0, 0, 1)
    service = Service.objects.get(upstream_id=1)
    assert (service.withdrawn_at, service.missed_syncs) == (None, 0)
    assert (service.rate_upstream_micros, service.display_name) == (600_000, "Our own name")
    assert Service.objects.count() == 60


def test_sync_catalog_when_the_admin_decided_otherwise_keeps_every_override(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    own = {
        "display_name": "Followers of ours",
        "description": "Our words",
        "visible": False,
        "position": 7,
        "delivery_override": Delivery.EMAIL,
        "rate_per_override": RateUnit.ONE,
        "paused_because": "Checked by hand",
    }
    Service.objects.filter(upstream_id=1).update(**own)
    of_category = {"display_name": "IG", "delivery": "email", "rate_per": 1, "visible": False, "position": 3}
    Category.objects.filter(name="Instagram").update(**of_category)
    sandbox.set_service(1, name="Renamed upstream", rate="9.99")

    sync()

    assert Service.objects.filter(upstream_id=1, **own).values_list("name", "rate_upstream_micros").get() == (
        "Renamed upstream",
        9_990_000,
    )
    assert Category.objects.filter(name="Instagram", **of_category).exists()


def test_sync_catalog_in_full_when_names_changed_behind_its_back_makes_them_searchable(sync: Sync) -> None:
    sync()
    Service.objects.filter(upstream_id=1).update(display_name="Супер ПОДПИСЧИКИ")
    Category.objects.filter(name="Instagram").update(display_name="Инстаграм")

    run = sync(in_full=True)

    assert counts(run) == ("applied", 0, 0, 0, 0)
    assert list(Service.objects.matching("ПОДПИСЧИКИ инстаграм followers").values_list("upstream_id")) == [(1,)]
    assert Service.objects.get(upstream_id=1).changed_at == NOW


def test_refresh_search_text_after_a_renaming_makes_it_searchable_at_once(sync: Sync) -> None:
    sync()
    Service.objects.filter(upstream_id=1).update(display_name="Супер ПОДПИСЧИКИ")

    assert refresh_search_text(Service.objects.filter(upstream_id__in=[1, 2])) == 1
    assert refresh_search_text(Service.objects.all()) == 0
    assert list(Service.objects.matching("подписчики").values_list("upstream_id")) == [(1,)]


def test_sync_catalog_when_a_subcategory_name_repeats_keeps_them_apart(sync: Sync, sandbox: Sandbox) -> None:
    sandbox.add_service(service=9001, category="Instagram", subcategory="Followers")
    sandbox.add_service(service=9002, category="TikTok", subcategory="Followers")

    sync()

    one, other = Subcategory.objects.filter(services__upstream_id__in=[9001, 9002]).order_by("category__name")
    assert (one.name, one.category.name) == ("Followers", "Instagram")
    assert (other.name, other.category.name) == ("Followers", "TikTok")
    for service in Service.objects.select_related("subcategory"):
        assert service.subcategory.category_id == service.category_id


def test_sync_catalog_when_a_service_moves_to_another_category_follows_it(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    sandbox.set_service(1, category="TikTok", subcategory="Views")

    run = sync()

    assert counts(run) == ("applied", 0, 1, 0, 0)
    service = Service.objects.get(upstream_id=1)
    assert (service.category.name, service.subcategory.name) == ("TikTok", "Views")


def test_sync_catalog_when_a_subcategory_is_new_asks_its_category_again(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    sandbox.set_service(1, subcategory="Premium")

    run = sync()

    assert counts(run) == ("applied", 0, 1, 0, 0)
    assert Service.objects.get(upstream_id=1).subcategory.name == "Premium"


def test_sync_catalog_when_a_service_moves_silently_finds_it_in_the_next_full_pass(
    sync: Sync, sandbox: Sandbox
) -> None:
    sandbox.add_service(service=9001, category="Instagram", subcategory="Likes")
    sandbox.add_service(service=9002, category="Instagram", subcategory="Likes")
    sync()
    sandbox.set_service(9001, subcategory="Followers")

    soon = sync()
    assert (soon.status, soon.read_in_full) == ("unchanged", False)
    assert Service.objects.get(upstream_id=9001).subcategory.name == "Likes"

    full = sync(in_full=True)
    assert (full.status, full.changed, full.read_in_full) == ("applied", 1, True)
    assert Service.objects.get(upstream_id=9001).subcategory.name == "Followers"


def test_sync_catalog_when_no_full_pass_came_for_two_rounds_makes_up_for_it(sync: Sync, sandbox: Sandbox) -> None:
    sync()

    assert not sync(timedelta(hours=47)).read_in_full
    assert sync(timedelta(hours=1)).read_in_full


def test_sync_catalog_when_a_subcategory_is_no_longer_listed_keeps_its_rule_and_empties_it(
    sync: Sync, sandbox: Sandbox
) -> None:
    sandbox.add_service(service=9001, category="Instagram", subcategory="Premium")
    sync()
    premium = Subcategory.objects.get(name="Premium")
    MarkupRule.objects.create(scope="subcategory", subcategory=premium, percent=90)
    sandbox.set_service(9001, subcategory="Followers")

    sync()
    sent = len(sandbox.requests)
    sync()

    assert Service.objects.get(upstream_id=9001).subcategory.name == "Followers"
    assert MarkupRule.objects.filter(subcategory=premium).exists()
    assert len(sandbox.requests) - sent == 3


@pytest.mark.parametrize(
    ("category", "fields", "delivery", "rate_per"),
    [
        ("Mastodon", {"kind": "smm"}, Delivery.LINK, None),
        ("Mastodon Accounts", {}, Delivery.GOODS, RateUnit.ONE),
        ("Aged Gmail", {}, Delivery.GOODS, RateUnit.ONE),
        ("Emailing lists", {}, Delivery.LINK, None),
        ("Strange goods", {"entityType": "product"}, Delivery.GOODS, RateUnit.ONE),
        ("Strange work", {"entityType": "smm"}, Delivery.LINK, None),
    ],
)
def test_sync_catalog_when_a_category_is_new_guesses_what_it_sells(
    sync: Sync, sandbox: Sandbox, category: str, fields: dict, delivery: str, rate_per: int | None
) -> None:
    sandbox.add_service(service=9001, category=category, subcategory="All", **fields)

    sync()

    found = Category.objects.get(name=category)
    assert (found.delivery, found.rate_per, found.visible) == (delivery, rate_per, True)


def test_sync_catalog_when_the_admin_corrected_the_guess_does_not_guess_again(sync: Sync, sandbox: Sandbox) -> None:
    sync()
    Category.objects.filter(name="Email Accounts").update(delivery=Delivery.LINK, rate_per=None)
    sandbox.add_service(service=9001, category="Email Accounts", subcategory="Gmail", entityType="product")

    sync()

    assert Category.objects.filter(name="Email Accounts", delivery="link", rate_per=None).exists()


def test_units_of_the_sandbox_when_the_demo_confirms_them_are_those_it_charges_by(sync: Sync, sandbox: Sandbox) -> None:
    sync()

    confirm_sandbox_units()

    units = {category.name: category.rate_per for category in Category.objects.exclude(rate_confirmed_at=None)}
    assert units == {name: PIECES_PER_RATE[kind_of(name)] for name in Category.objects.values_list("name", flat=True)}
