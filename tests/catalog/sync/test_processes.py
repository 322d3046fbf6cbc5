"""Two syncs never at once, and a process that dies on the way: nothing half done, nothing blocked."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Category, Service, SyncRun
from catalog.sync.runs import SyncAlreadyRunning, SyncTakenOver, open_run
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.syncs import LATER, NOW, QUARTER, stored
from tests.workers import database_url, wait_for
from upstream.client import Client
from upstream.sandbox.process import Sandbox

pytestmark = pytest.mark.sqlite

ROOT = Path(__file__).resolve().parents[3]
# A whole sync in a process of its own, which stops where it is told and waits there to be killed.
HANGING_SYNC = """
import sys, time
import django
django.setup()
from django.utils import timezone
from catalog.sync.sync_catalog import sync_catalog
from upstream.client import default_client

def hang(stage, done, total):
    if (stage, done) == (sys.argv[1], total):
        print("here", flush=True)
        time.sleep(600)

sync_catalog(client=default_client(), now=timezone.now(), progress=hang)
"""


@pytest.mark.django_db(transaction=True)
def test_sync_catalog_when_another_one_is_at_work_does_not_start(sandbox: Sandbox, client_upstream: Client) -> None:
    sandbox.fail_next("slow", action="services", seconds=2)
    reading_has_begun = threading.Event()
    ended: list[str] = []

    def first() -> None:
        try:
            run = sync_catalog(client=client_upstream, now=NOW, progress=lambda *_step: reading_has_begun.set())
            ended.append(run.status)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert reading_has_begun.wait(10)

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
        if (stage, done) == ("services", total):
            open_run(SyncRun.Kind.CATALOG, now=LATER + timedelta(minutes=31))

    with pytest.raises(SyncTakenOver):
        sync_catalog(client=client_upstream, now=LATER, progress=be_taken_over)

    assert stored() == synced
    assert sorted(SyncRun.objects.values_list("status", flat=True)) == ["applied", "failed", "running"]


def test_open_run_of_another_kind_does_not_wait(db: None) -> None:
    open_run(SyncRun.Kind.CATALOG, now=NOW)

    open_run(SyncRun.Kind.SMS, now=NOW)

    assert SyncRun.objects.filter(status="running").count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stage", ["services", "writing"])
def test_sync_catalog_when_its_process_is_killed_leaves_the_catalog_and_does_not_hold_up_the_next(
    sandbox: Sandbox, client_upstream: Client, stage: str
) -> None:
    # "writing" ends when every row has been copied and merged, and nothing is committed.
    sync_catalog(client=client_upstream, now=timezone.now() - QUARTER)
    before = stored()
    sandbox.set_service(1, rate="0.99")
    sandbox.add_service(service=9001, category="Brand new", subcategory="Brand new too")
    environment = {**os.environ, "DATABASE_URL": database_url()}
    command = [sys.executable, "-c", HANGING_SYNC, stage]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "here\n"
            with pytest.raises(SyncAlreadyRunning):
                _sync_unless_locked(client_upstream, stage)
        finally:
            os.kill(process.pid, signal.SIGKILL)

    assert stored() == before
    assert not Category.objects.filter(name="Brand new").exists()
    # PostgreSQL notices a moment later that its client is gone.
    run = wait_for(lambda: _sync_if_free(client_upstream), "a sync after the one that was killed", seconds=10)
    assert (run.status, run.added, run.changed) == ("applied", 1, 1)
    dead = SyncRun.objects.get(status=SyncRun.Status.FAILED)
    assert dead.error == "Its process ended without a word."
    assert Service.objects.get(upstream_id=1).rate_upstream_micros == 990_000


def _sync_unless_locked(client: Client, stage: str) -> None:
    if connection.vendor == "sqlite" and stage == "writing":
        # Its transaction holds the only write lock there is: nobody gets as far as asking.
        raise SyncAlreadyRunning
    sync_catalog(client=client, now=timezone.now())


def _sync_if_free(client: Client) -> SyncRun | None:
    try:
        return sync_catalog(client=client, now=timezone.now())
    except SyncAlreadyRunning:
        return None


@pytest.mark.django_db
@pytest.mark.parametrize("lock_holder", ["", "no word we know", "123 another-machine"])
def test_sync_catalog_when_it_cannot_be_known_whether_the_other_one_lives_waits_for_it(
    client_upstream: Client, lock_holder: str
) -> None:
    other = open_run(SyncRun.Kind.CATALOG, now=NOW).row
    SyncRun.objects.filter(pk=other.pk).update(lock_holder=lock_holder)

    with pytest.raises(SyncAlreadyRunning):
        sync_catalog(client=client_upstream, now=LATER)
