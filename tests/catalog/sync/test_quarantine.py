"""Answers that are whole but implausible: held back, looked at, accepted or dropped."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from catalog.models import QuarantinedAnswer, Service, ServiceChange, SyncRun
from catalog.sync.quarantine import NotWaiting
from catalog.sync.runs import SyncAlreadyRunning, open_run
from catalog.sync.sync_catalog import accept_quarantined, drop_quarantined, sync_catalog
from notifications.models import Notice
from tests.catalog.syncs import LATER, NOW, QUARTER, raise_rates, stored
from upstream.client import Client
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
Sync = Callable[..., SyncRun]


@pytest.fixture
def sync(synced: list[tuple], client_upstream: Client) -> Sync:
    """Run the next sync after the first one, each a quarter of an hour later."""
    clock = [NOW]

    def run() -> SyncRun:
        clock[0] += QUARTER
        return sync_catalog(client=client_upstream, now=clock[0])

    return run


def remove(sandbox: Sandbox, count: int) -> None:
    for service_id in range(1, count + 1):
        sandbox.remove_service(service_id)


def told() -> list[str]:
    return list(Notice.objects.order_by("id").values_list("key", flat=True))


# --- When an answer is held back --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("gone", "status"), [(18, "applied"), (19, "quarantined")])
def test_sync_catalog_when_many_vanish_at_once_applies_up_to_the_limit(
    synced: list[tuple], sandbox: Sandbox, sync: Sync, settings: Any, gone: int, status: str
) -> None:
    settings.SYNC_MAX_VANISHED_PERCENT = 30
    remove(sandbox, gone)

    run = sync()

    assert run.status == status
    assert Service.objects.filter(missed_syncs=1).count() == (gone if status == "applied" else 0)
    if status == "quarantined":
        assert run.error == "19 of 60 services on sale are missing from the answer, more than 30%."
        assert run.difference["doubts"] == ["vanished"]
        assert stored() == synced


@pytest.mark.parametrize("factor", [2.5, 0.4])
@pytest.mark.parametrize(("repriced", "status"), [(12, "applied"), (13, "quarantined")])
def test_sync_catalog_when_many_rates_jump_applies_up_to_the_limit(
    synced: list[tuple], sandbox: Sandbox, sync: Sync, settings: Any, factor: float, repriced: int, status: str
) -> None:
    settings.SYNC_MAX_REPRICED_PERCENT = 20
    raise_rates(sandbox, range(1, repriced + 1), factor)

    run = sync()

    assert run.status == status
    if status == "quarantined":
        assert run.error.startswith("The rates of 13 of 60 services on sale rose or fell by more than a factor of 2")
        assert run.difference["doubts"] == ["repriced"]
        assert stored() == synced


@pytest.mark.parametrize("factor", [2, 0.5])
def test_sync_catalog_when_every_rate_moves_by_no_more_than_the_factor_applies_it(
    sandbox: Sandbox, sync: Sync, factor: float
) -> None:
    raise_rates(sandbox, range(1, 61), factor)

    run = sync()

    assert (run.status, run.repriced) == ("applied", 60)


@pytest.mark.parametrize(("bad", "status"), [(3, "unchanged"), (4, "quarantined")])
def test_sync_catalog_when_many_rows_are_unusable_applies_up_to_the_limit(
    synced: list[tuple], sandbox: Sandbox, sync: Sync, settings: Any, bad: int, status: str
) -> None:
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 5
    for service_id in range(1, bad + 1):
        sandbox.set_service(service_id, rate="0")

    run = sync()

    assert run.status == status
    assert len(run.set_aside) == bad
    assert run.error == ("" if status == "unchanged" else "4 of 60 rows can't be used, more than 5%.")
    assert stored() == synced


def test_sync_catalog_when_several_things_are_wrong_names_them_all(sandbox: Sandbox, sync: Sync) -> None:
    remove(sandbox, 20)
    raise_rates(sandbox, range(21, 41), 3)

    run = sync()

    assert run.difference["doubts"] == ["vanished", "repriced"]
    assert "20 of 60 services on sale are missing" in run.error
    assert "The rates of 20 of 60 services on sale rose or fell" in run.error


def test_sync_catalog_when_the_admin_raises_the_limit_accepts_the_loss(
    sandbox: Sandbox, sync: Sync, settings: Any
) -> None:
    settings.SYNC_MAX_VANISHED_PERCENT = 100
    remove(sandbox, 58)

    assert (sync().status, Service.objects.filter(missed_syncs=1).count()) == ("applied", 58)


def test_sync_catalog_when_it_is_held_back_keeps_what_would_change(sandbox: Sandbox, sync: Sync) -> None:
    sandbox.remove_service(60)
    sync()
    sync()
    sandbox.restore_service(60)
    remove(sandbox, 20)
    sandbox.set_service(21, rate="0.61", stock=7)
    sandbox.set_service(22, rate="90.00")
    sandbox.set_service(23, name="Renamed")
    sandbox.add_service(service=9001, category="Brand new", subcategory="Brand new too", name="Newcomer", rate="3.00")
    before = dict(Service.objects.values_list("upstream_id", "rate_upstream_micros"))
    old_name = Service.objects.get(upstream_id=23).name

    run = sync()

    found = run.difference
    assert found["counts"] == {
        "on_sale": 59, "vanished": 20, "repriced": 2, "new": 1, "back": 1, "changed": 1, "set_aside": 0
    }  # fmt: skip
    assert [row["service"] for row in found["vanished"]] == list(range(1, 21))
    assert [(row["service"], row["before"], row["after"]) for row in found["repriced"]] == [
        (22, before[22], 90_000_000),
        (21, before[21], 610_000),
    ]
    assert found["new"] == [{"service": 9001, "name": "Newcomer", "after": 3_000_000}]
    assert [row["service"] for row in found["back"]] == [60]
    assert [(row["service"], row["fields"]) for row in found["changed"]] == [(23, {"name": [old_name, "Renamed"]})]
    assert (run.added, run.changed, run.withdrawn, run.returned, run.repriced) == (0, 0, 0, 0, 0)
    assert not Service.objects.filter(upstream_id=9001).exists()


def test_sync_catalog_command_when_the_sync_is_held_back_says_where_to_decide(sandbox: Sandbox, sync: Sync) -> None:
    remove(sandbox, 20)

    with pytest.raises(CommandError, match=r"are missing from the answer.* Decide at http.*/catalog/syncrun/"):
        call_command("sync_catalog")


# --- While it waits ---------------------------------------------------------------------------------------------------
def test_sync_catalog_when_the_same_answer_comes_again_keeps_one_waiting_and_tells_once(
    sandbox: Sandbox, sync: Sync
) -> None:
    remove(sandbox, 20)

    first, second, third = sync(), sync(), sync()

    first.refresh_from_db()
    assert [first.status, second.status, third.status] == ["quarantined", "dropped", "dropped"]
    assert second.error == "The same as the previous answer, which is waiting for your decision."
    assert (second.difference, second.decided_by) == ({}, None)
    assert QuarantinedAnswer.objects.get().run == first
    assert told() == [f"quarantine:{first.pk}"]
    notice = Notice.objects.get()
    assert first.error in notice.body
    assert f"/catalog/syncrun/{first.pk}/" in notice.body


def test_sync_catalog_when_another_strange_answer_comes_it_takes_the_place_of_the_one_before(
    sandbox: Sandbox, sync: Sync
) -> None:
    remove(sandbox, 20)
    first = sync()
    sandbox.set_service(40, stock=1)

    second = sync()

    first.refresh_from_db()
    assert (first.status, second.status) == ("dropped", "quarantined")
    assert first.error.endswith("more than 30%. Replaced by a newer answer.")
    assert QuarantinedAnswer.objects.get().run == second
    assert told() == [f"quarantine:{first.pk}"]


def test_sync_catalog_when_there_is_a_new_kind_of_doubt_tells_again(sandbox: Sandbox, sync: Sync) -> None:
    remove(sandbox, 20)
    first = sync()
    raise_rates(sandbox, range(21, 41), 3)

    second = sync()

    assert told() == [f"quarantine:{first.pk}", f"quarantine:{second.pk}"]


def test_sync_catalog_when_upstream_is_in_order_again_drops_what_waited(sandbox: Sandbox, sync: Sync) -> None:
    remove(sandbox, 20)
    held_back = sync()
    for service_id in range(1, 21):
        sandbox.restore_service(service_id)

    assert sync().status == "unchanged"

    held_back.refresh_from_db()
    assert (held_back.status, held_back.decided_by) == ("dropped", None)
    assert held_back.decided_at == LATER + QUARTER
    assert held_back.error.endswith("Dropped automatically: a later sync found the catalog in order.")
    assert not QuarantinedAnswer.objects.exists()


def test_sync_catalog_when_a_later_one_fails_leaves_the_decision_open(sandbox: Sandbox, sync: Sync) -> None:
    remove(sandbox, 20)
    held_back = sync()
    sandbox.fail_next("garbage", action="services", text='{"services": [], "total": 0}')

    assert sync().status == "rejected"

    held_back.refresh_from_db()
    assert held_back.status == "quarantined"


# --- The decision -----------------------------------------------------------------------------------------------------
def decided(run: SyncRun) -> tuple[str, User | None, datetime | None]:
    run.refresh_from_db()
    return run.status, run.decided_by, run.decided_at


DECISION = NOW + timedelta(hours=5)


def test_accept_quarantined_applies_exactly_what_was_looked_at(sandbox: Sandbox, sync: Sync, sam: User) -> None:
    remove(sandbox, 20)
    sandbox.set_service(21, rate="60.00")
    sandbox.add_service(service=9001, category="Brand new", subcategory="Brand new too", rate="3.00")
    run = sync()
    lasted = run.finished_at - run.started_at
    # What upstream says by now is not what was looked at.
    sandbox.set_service(21, rate="70.00")
    sandbox.set_service(9001, name="Renamed since")
    asked = len(sandbox.requests)

    accept_quarantined(run.pk, actor=sam, now=DECISION)

    assert decided(run) == ("applied", sam, DECISION)
    assert (run.added, run.repriced, run.changed, run.withdrawn) == (1, 1, 1, 0)
    assert run.finished_at - run.started_at == lasted
    assert Service.objects.get(upstream_id=21).rate_upstream_micros == 60_000_000
    newcomer = Service.objects.select_related("category", "subcategory").get(upstream_id=9001)
    assert (newcomer.name, newcomer.first_seen_at) == ("Added service", DECISION)
    assert (newcomer.category.name, newcomer.subcategory.name) == ("Brand new", "Brand new too")
    assert Service.objects.filter(missed_syncs=1).count() == 20
    change = ServiceChange.objects.get()
    assert (change.run, change.kind, change.rate_after_micros, change.created_at) == (run, "rate", 60_000_000, DECISION)
    assert not QuarantinedAnswer.objects.exists()
    assert len(sandbox.requests) == asked


def test_accept_quarantined_when_services_are_missing_withdraws_them_with_the_next_sync(
    sandbox: Sandbox, sync: Sync, sam: User
) -> None:
    remove(sandbox, 20)
    accept_quarantined(sync().pk, actor=sam, now=DECISION)

    run = sync()

    assert (run.status, run.withdrawn) == ("applied", 20)
    assert sync().status == "unchanged"


def test_accept_quarantined_when_rows_were_set_aside_leaves_their_services(
    sandbox: Sandbox, sync: Sync, sam: User
) -> None:
    for service_id in range(1, 11):
        sandbox.set_service(service_id, rate="0")
    sandbox.set_service(11, rate="60.00")
    before = list(Service.objects.filter(upstream_id__lte=10).order_by("id").values())
    run = sync()

    accept_quarantined(run.pk, actor=sam, now=DECISION)

    assert list(Service.objects.filter(upstream_id__lte=10).order_by("id").values()) == before
    assert Service.objects.get(upstream_id=11).rate_upstream_micros == 60_000_000
    run.refresh_from_db()
    assert len(run.set_aside) == 10


def test_accept_quarantined_when_a_later_sync_was_applied_is_refused(sandbox: Sandbox, sync: Sync, sam: User) -> None:
    remove(sandbox, 20)
    run = sync()
    for service_id in range(1, 21):
        sandbox.restore_service(service_id)
    sync()
    before = stored()

    with pytest.raises(NotWaiting, match="A later sync has been applied"):
        accept_quarantined(run.pk, actor=sam, now=DECISION)

    assert stored() == before
    assert decided(run)[:2] == ("dropped", None)


def test_accept_quarantined_when_a_sync_was_applied_that_did_not_drop_it_is_refused(
    sandbox: Sandbox, sync: Sync, sam: User
) -> None:
    remove(sandbox, 20)
    run = sync()
    SyncRun.objects.create(kind="catalog", status="unchanged")
    before = stored()

    with pytest.raises(NotWaiting, match="A later sync has been applied"):
        accept_quarantined(run.pk, actor=sam, now=DECISION)

    assert stored() == before
    assert decided(run) == ("quarantined", None, None)


def test_accept_quarantined_when_a_newer_answer_waits_is_refused(sandbox: Sandbox, sync: Sync, sam: User) -> None:
    remove(sandbox, 20)
    run = sync()
    sandbox.set_service(40, stock=1)
    sync()

    with pytest.raises(NotWaiting, match="is no longer waiting for a decision"):
        accept_quarantined(run.pk, actor=sam, now=DECISION)


def test_accept_quarantined_while_a_sync_runs_is_refused(
    synced: list[tuple], sandbox: Sandbox, sync: Sync, sam: User
) -> None:
    remove(sandbox, 20)
    run = sync()
    open_run(SyncRun.Kind.CATALOG, now=DECISION)

    with pytest.raises(SyncAlreadyRunning):
        accept_quarantined(run.pk, actor=sam, now=DECISION)

    assert stored() == synced
    assert decided(run) == ("quarantined", None, None)


def test_accept_quarantined_when_what_was_kept_cannot_be_read_is_refused(
    synced: list[tuple], sandbox: Sandbox, sync: Sync, sam: User
) -> None:
    remove(sandbox, 20)
    run = sync()
    QuarantinedAnswer.objects.update(packed=b"of another version")

    with pytest.raises(NotWaiting, match="can no longer be read"):
        accept_quarantined(run.pk, actor=sam, now=DECISION)

    assert stored() == synced
    assert decided(run) == ("quarantined", None, None)


def test_drop_quarantined_changes_nothing_and_says_who(
    synced: list[tuple], sandbox: Sandbox, sync: Sync, sam: User
) -> None:
    remove(sandbox, 20)
    run = sync()

    drop_quarantined(run.pk, actor=sam, now=DECISION)

    assert decided(run) == ("dropped", sam, DECISION)
    assert stored() == synced
    assert not QuarantinedAnswer.objects.exists()
    with pytest.raises(NotWaiting):
        drop_quarantined(run.pk, actor=sam, now=DECISION)
    with pytest.raises(NotWaiting):
        accept_quarantined(run.pk, actor=sam, now=DECISION)


def test_drop_quarantined_when_upstream_insists_holds_its_answer_back_again(
    sandbox: Sandbox, sync: Sync, sam: User
) -> None:
    remove(sandbox, 20)
    drop_quarantined(sync().pk, actor=sam, now=DECISION)

    assert sync().status == "quarantined"
