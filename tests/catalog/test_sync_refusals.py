"""When a sync applies nothing: answers that cannot be trusted, upstream down, another sync at work."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from catalog.models import QuarantinedListing, Service, SyncRun
from catalog.operations import SyncAlreadyRunning, SyncTakenOver, WrongCurrency, open_run, sync_catalog
from upstream.client import Client
from upstream.errors import InvalidApiKey, Unavailable
from upstream.sandbox.process import Sandbox

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)


@pytest.fixture
def synced(db: None, client_upstream: Client) -> list[tuple]:
    """A catalog after its first sync; the rows as they are then."""
    sync_catalog(client=client_upstream, now=NOW)
    return stored()


def stored() -> list[tuple]:
    return list(Service.objects.order_by("id").values_list())


def row(**fields: Any) -> dict[str, Any]:
    usual = {"service": 1, "name": "A", "type": "Default", "category": "Instagram", "rate": "1.00", "min": 1, "max": 9}
    return {**usual, **fields}


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("services", {"services": [], "total": 0}, "The list of services is empty"),
        ("services", {"services": [row()], "total": 60}, "incomplete: 1 rows, where 60 are announced"),
        ("categories", {"categories": []}, "The list of categories is empty"),
    ],
)
def test_sync_catalog_when_the_answer_is_not_whole_applies_nothing(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client, action: str, body: dict, words: str
) -> None:
    sandbox.fail_next("garbage", action=action, text=json.dumps(body))

    run = sync_catalog(client=client_upstream, now=LATER)

    assert run.status == SyncRun.Status.REJECTED
    assert words in run.error
    assert run.finished_at is not None
    assert run.difference == {}
    assert not QuarantinedListing.objects.exists()
    assert stored() == synced


def test_sync_catalog_when_a_subcategory_answer_is_incomplete_applies_nothing(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client
) -> None:
    sandbox.add_service(service=9001, category="TikTok", subcategory="New here")
    # The first request for services goes through, one of the next ones does not.
    listing = {"services": [row()], "total": 7}

    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("listing", total):
            sandbox.fail_next("garbage", action="services", text=json.dumps(listing))

    run = sync_catalog(client=client_upstream, now=LATER, progress=progress)

    assert run.status == SyncRun.Status.REJECTED
    assert "services of TikTok / " in run.error
    assert stored() == synced


BAD_FIELDS = [
    ({"rate": "0"}, "rate", "is 0"),
    ({"rate": "-1.00"}, "rate", "not an amount of money"),
    ({"rate": "cheap"}, "rate", "Invalid decimal"),
    ({"min": 100, "max": 10}, "min", "is 100 and max is 10"),
    ({"max": 0, "min": 0}, "min", "is 0 and max is 0"),
    ({"name": ""}, "name", "empty"),
    ({"name": "x" * 501}, "name", "is longer than 500 characters"),
    ({"type": "x" * 101}, "type", "is longer than 100 characters"),
]


@pytest.mark.parametrize(("fields", "field", "problem"), BAD_FIELDS)
def test_sync_catalog_when_a_row_is_unusable_names_it_and_applies_the_rest(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client, fields: dict, field: str, problem: str
) -> None:
    before = Service.objects.filter(upstream_id=2).values().get()
    sandbox.set_service(2, **fields)
    sandbox.set_service(1, rate="0.99")

    for minutes in (15, 30, 45):
        run = sync_catalog(client=client_upstream, now=NOW + timedelta(minutes=minutes))

    assert [(entry["service"], entry["field"]) for entry in run.set_aside] == [("2", field)]
    assert problem in run.set_aside[0]["problem"]
    assert Service.objects.get(upstream_id=1).rate_upstream_micros == 990_000
    assert Service.objects.filter(upstream_id=2).values().get() == before


def test_sync_catalog_when_a_service_is_listed_twice_keeps_one_and_names_it(
    db: None, sandbox: Sandbox, client_upstream: Client, settings
) -> None:
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 50
    listing = {"services": [row(rate="1.00"), row(rate="2.00")], "total": 2}
    sandbox.fail_next("garbage", action="services", text=json.dumps(listing))

    run = sync_catalog(client=client_upstream, now=NOW)

    assert (run.status, run.added) == ("applied", 1)
    assert run.set_aside == [{"service": "1", "field": "service", "problem": "is listed twice"}]
    assert Service.objects.get().rate_upstream_micros == 1_000_000


def test_sync_catalog_when_upstream_has_another_currency_fails_in_words(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client
) -> None:
    sandbox.fail_next("garbage", action="balance", text='{"balance": "1.00", "currency": "EUR"}')

    with pytest.raises(WrongCurrency):
        sync_catalog(client=client_upstream, now=LATER)

    run = SyncRun.objects.first()
    assert run.status == SyncRun.Status.FAILED
    assert "in EUR, but UPSTREAM_CURRENCY is USD" in run.error
    assert stored() == synced


@pytest.mark.parametrize("action", ["balance", "categories", "services"])
def test_sync_catalog_when_upstream_is_down_fails_and_changes_nothing(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client, action: str
) -> None:
    sandbox.set_service(1, rate="0.99")
    sandbox.fail_rate("500_before", 1, action=action)

    with pytest.raises(Unavailable):
        sync_catalog(client=client_upstream, now=LATER)

    run = SyncRun.objects.first()
    assert (run.status, run.started_at) == (SyncRun.Status.FAILED, LATER)
    assert "500" in run.error
    assert run.finished_at > LATER
    assert stored() == synced


def test_sync_catalog_when_a_subcategory_cannot_be_read_applies_nothing(
    db: None, sandbox: Sandbox, client_upstream: Client
) -> None:
    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("subcategories", 3):
            sandbox.fail_rate("500_before", 1, action="services")

    with pytest.raises(Unavailable):
        sync_catalog(client=client_upstream, now=NOW, progress=progress)

    assert Service.objects.count() == 0
    assert SyncRun.objects.get().status == SyncRun.Status.FAILED


def test_sync_catalog_when_the_key_is_wrong_says_so(db: None, sandbox: Sandbox) -> None:
    stranger = Client(sandbox.url, "not-the-key-at-all", 10)

    with pytest.raises(InvalidApiKey):
        sync_catalog(client=stranger, now=NOW)

    assert SyncRun.objects.get().error == "Invalid API key"
    stranger.close()


@pytest.mark.parametrize("stage", ["comparing", "writing"])
def test_sync_catalog_when_interrupted_while_applying_leaves_the_catalog_as_it_was(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client, stage: str
) -> None:
    sandbox.set_service(1, rate="0.99")
    sandbox.add_service(service=9001, category="Brand new", subcategory="Brand new too")

    def interrupt(at: str, done: int, total: int) -> None:
        # The last of two writes: the new service is in the database by then.
        if (at, done) == (stage, total):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync_catalog(client=client_upstream, now=LATER, progress=interrupt)

    assert stored() == synced
    assert SyncRun.objects.first().status == SyncRun.Status.FAILED
    assert sync_catalog(client=client_upstream, now=LATER).added == 1


@pytest.mark.django_db(transaction=True)
def test_sync_catalog_when_another_one_is_at_work_does_not_start(sandbox: Sandbox, client_upstream: Client) -> None:
    sandbox.fail_next("slow", action="services", seconds=2)
    listing_has_begun = threading.Event()
    ended: list[str] = []

    def first() -> None:
        try:
            run = sync_catalog(client=client_upstream, now=NOW, progress=lambda *_step: listing_has_begun.set())
            ended.append(run.status)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert listing_has_begun.wait(10)

    with pytest.raises(SyncAlreadyRunning):
        sync_catalog(client=client_upstream, now=NOW)

    thread.join(30)
    assert ended == ["applied"]
    assert SyncRun.objects.get().added == 60


def test_sync_catalog_when_the_other_one_died_half_an_hour_ago_takes_over(
    synced: list[tuple], client_upstream: Client
) -> None:
    dead = open_run(SyncRun.Kind.CATALOG, now=LATER)
    with pytest.raises(SyncAlreadyRunning):
        sync_catalog(client=client_upstream, now=LATER + timedelta(minutes=30))

    run = sync_catalog(client=client_upstream, now=LATER + timedelta(minutes=31))

    assert run.status == SyncRun.Status.UNCHANGED
    dead.row.refresh_from_db()
    assert (dead.row.status, dead.row.error) == ("failed", "Its process ended without a word.")


def test_sync_catalog_when_it_was_given_up_as_dead_writes_nothing(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client
) -> None:
    sandbox.set_service(1, rate="0.99")

    def be_taken_over(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("listing", total):
            open_run(SyncRun.Kind.CATALOG, now=LATER + timedelta(minutes=31))

    with pytest.raises(SyncTakenOver):
        sync_catalog(client=client_upstream, now=LATER, progress=be_taken_over)

    assert stored() == synced
    assert sorted(SyncRun.objects.values_list("status", flat=True)) == ["applied", "failed", "running"]


def test_open_run_of_another_kind_does_not_wait(db: None) -> None:
    open_run(SyncRun.Kind.CATALOG, now=NOW)

    open_run(SyncRun.Kind.SMS, now=NOW)

    assert SyncRun.objects.filter(status="running").count() == 2
