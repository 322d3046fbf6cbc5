"""What a sync leaves behind besides the catalog: its figures, a history of every service, the rates of lists."""

from collections.abc import Callable

import pytest

from catalog.models import Category, MarkupRule, Service, ServiceChange, Subcategory, SyncRun
from catalog.pricing import price_book
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.syncs import NOW, QUARTER
from upstream.client import Client
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
Sync = Callable[..., SyncRun]


@pytest.fixture
def sync(synced: list[tuple], client_upstream: Client) -> Sync:
    """Run the next sync after the first one, each a quarter of an hour later."""
    clock = [NOW]

    def run(*, in_full: bool = False) -> SyncRun:
        clock[0] += QUARTER
        return sync_catalog(client=client_upstream, now=clock[0], in_full=in_full)

    return run


def history(upstream_id: int) -> list[tuple]:
    changes = ServiceChange.objects.filter(service__upstream_id=upstream_id).order_by("id")
    return list(changes.values_list("kind", "rate_before_micros", "rate_after_micros", "fields"))


def test_sync_catalog_when_services_are_new_writes_no_history(sync: Sync) -> None:
    assert not ServiceChange.objects.exists()


def test_sync_catalog_of_every_kind_of_change_leaves_its_history(sync: Sync, sandbox: Sandbox) -> None:
    sandbox.set_service(1, rate="0.60", min=5, refill=False, category="TikTok", subcategory="Views")
    sandbox.set_service(3, stock=7)
    sandbox.remove_service(2)
    first = sync()
    second = sync()
    sandbox.restore_service(2)
    sandbox.set_service(2, rate="9.99")
    third = sync()

    fields = {"min_quantity": [100, 5], "refill": [True, False], "place": ["Instagram · Followers", "TikTok · Views"]}
    assert history(1) == [("rate", 500_000, 600_000, {}), ("fields", None, None, fields)]
    rate = first.changes.model.objects.get(service__upstream_id=2, kind="rate").rate_before_micros
    assert history(2) == [("withdrawn", None, None, {}), ("back", None, None, {}), ("rate", rate, 9_990_000, {})]
    assert history(3) == []
    assert [run.changes.count() for run in (first, second, third)] == [2, 1, 2]
    assert set(first.changes.values_list("created_at", flat=True)) == {NOW + QUARTER}
    assert [(run.changed, run.repriced, run.withdrawn, run.returned) for run in (first, second, third)] == [
        (2, 1, 0, 0),
        (0, 0, 1, 0),
        (0, 1, 0, 1),
    ]


def test_sync_catalog_when_a_long_text_changes_keeps_its_beginning(sync: Sync, sandbox: Sandbox) -> None:
    sandbox.set_service(1, description="x" * 5000)

    sync()

    assert history(1) == [("fields", None, None, {"upstream_description": ["", "x" * 300]})]
    assert Service.objects.get(upstream_id=1).upstream_description == "x" * 5000


def test_sync_catalog_counts_requests_and_bytes(sync: Sync, sandbox: Sandbox, client_upstream: Client) -> None:
    before = client_upstream.usage

    run = sync()

    after = client_upstream.usage
    assert (run.requests, run.bytes) == (3, after.bytes - before.bytes)
    assert run.bytes > 60 * 100  # each row has more than a hundred


def test_sync_catalog_when_it_fails_counts_what_it_spent(sync: Sync, sandbox: Sandbox) -> None:
    sandbox.fail_next("garbage", action="services", text='{"services": [], "total": 0}')

    run = sync()

    assert (run.status, run.requests) == ("rejected", 3)
    assert run.bytes > 100


# --- Selling rates ----------------------------------------------------------------------------------------------------
def rates(upstream_id: int) -> tuple[int, int]:
    service = Service.objects.get(upstream_id=upstream_id)
    return service.selling_rate_micros, service.selling_per_thousand_micros


def wrong_rates() -> list[int]:
    """Upstream ids of the services whose stored rates are not what the price book says."""
    book = price_book(None)
    return [
        service.upstream_id
        for service in Service.objects.select_related("category")
        if (service.selling_rate_micros, service.selling_per_thousand_micros)
        != (book.rate_micros(service), book.rate_per_thousand_micros(service))
    ]


def test_sync_catalog_when_services_are_new_stores_their_selling_rates(sync: Sync) -> None:
    assert wrong_rates() == []
    per_piece = Service.objects.filter(category__rate_per=1).first()
    assert per_piece.selling_per_thousand_micros == 1000 * per_piece.selling_rate_micros > 0


def test_sync_catalog_when_a_rate_changes_stores_the_new_selling_rate(sync: Sync, sandbox: Sandbox) -> None:
    MarkupRule.objects.create(scope="service", service=Service.objects.get(upstream_id=1), percent=100)
    Service.objects.filter(upstream_id=2).update(rate_override_micros=77_000_000)
    sandbox.set_service(1, rate="0.80")
    sandbox.set_service(2, rate="0.70")

    sync()

    assert rates(1) == (1_600_000, 1_600_000)
    assert rates(2)[0] == 77_000_000
    assert wrong_rates() == []


def test_sync_catalog_when_a_service_moves_prices_it_by_the_rules_of_its_new_place(
    sync: Sync, sandbox: Sandbox
) -> None:
    views = Subcategory.objects.get(category__name="TikTok", name="Views")
    MarkupRule.objects.create(scope="subcategory", subcategory=views, percent=300)
    sandbox.set_service(1, category="TikTok", subcategory="Views")

    sync()

    assert rates(1) == (2_000_000, 2_000_000)


def test_sync_catalog_in_full_when_a_stored_rate_is_wrong_puts_it_right(sync: Sync) -> None:
    Service.objects.filter(upstream_id=1).update(selling_rate_micros=1, selling_per_thousand_micros=1)
    Category.objects.filter(name="TikTok").update(rate_per=1)

    run = sync(in_full=True)

    assert wrong_rates() == []
    assert (run.status, run.changed, run.repriced) == ("applied", 0, 0)
    assert not ServiceChange.objects.exists()
