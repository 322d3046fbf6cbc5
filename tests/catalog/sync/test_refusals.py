"""When a sync applies nothing: answers that cannot be trusted, upstream down, another sync at work."""

import json
from datetime import timedelta
from typing import Any

import pytest

from catalog.models import QuarantinedAnswer, Service, SyncRun
from catalog.sync.fetch import WrongCurrency
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.syncs import LATER, NOW, stored
from upstream.client import Client
from upstream.errors import InvalidApiKey, Unavailable
from upstream.sandbox.process import Sandbox


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
    assert not QuarantinedAnswer.objects.exists()
    assert stored() == synced


def test_sync_catalog_when_a_subcategory_answer_is_incomplete_applies_nothing(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client
) -> None:
    sandbox.add_service(service=9001, category="TikTok", subcategory="New here")
    # The first request for services goes through, one of the next ones does not.
    body = {"services": [row()], "total": 7}

    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("services", total):
            sandbox.fail_next("garbage", action="services", text=json.dumps(body))

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


@pytest.mark.parametrize("rates", [["1.00", "2.00"], ["2.00", "1.00"]])
def test_sync_catalog_when_a_service_is_listed_twice_keeps_the_dearer_and_names_it(
    db: None, sandbox: Sandbox, client_upstream: Client, settings, rates: list[str]
) -> None:
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 50
    body = {"services": [row(rate=rate) for rate in rates], "total": 2}
    sandbox.fail_next("garbage", action="services", text=json.dumps(body))

    run = sync_catalog(client=client_upstream, now=NOW)

    assert (run.status, run.added) == ("applied", 1)
    assert run.set_aside == [{"service": "1", "field": "service", "problem": "is listed twice"}]
    assert Service.objects.get().rate_upstream_micros == 2_000_000


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
    db: None, sandbox: Sandbox, client_upstream: Client, settings
) -> None:
    # One at a time and not too fast: the fault must come while there are some left to ask.
    settings.UPSTREAM_MAX_IN_FLIGHT = 1
    sandbox.set(latency_seconds=0.1)

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


def test_sync_catalog_when_the_same_row_comes_twice_names_it_and_goes_on(
    db: None, sandbox: Sandbox, client_upstream: Client, settings
) -> None:
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 0
    body = {"services": [row(), row(service=2), row(), row(service=2)], "total": 4}
    sandbox.fail_next("garbage", action="services", text=json.dumps(body))

    run = sync_catalog(client=client_upstream, now=NOW)

    assert (run.status, run.added) == ("applied", 2)
    assert [(entry["service"], entry["problem"]) for entry in run.set_aside] == [
        ("1", "is listed twice"),
        ("2", "is listed twice"),
    ]
