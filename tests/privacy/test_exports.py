"""A download of everything: once a day, written in batches, begun anew when a worker dies, deleted in time."""

import os
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import TrailEntry
from accounts.trail.record import record
from api.webhooks.operations import add_webhook
from notifications.models import Letter
from orders.lifecycle.goods import keep_goods
from orders.models import Checkout, Order, OrderEvent, Status
from privacy.exports import operations, writing
from privacy.exports.files import path_of
from privacy.exports.operations import ExportUnderWay, TooSoon, prepare_exports, request_export
from privacy.exports.retention import clean_exports
from privacy.models import DataExport
from privacy.registry import TABLES
from privacy.registry.kinds import Export
from tests.privacy.asking import prepared, read
from tests.security.delivered import LINE, deliver
from tests.storefront.admin_rows import make_rows

pytestmark = pytest.mark.django_db
State = DataExport.State


def test_export_when_written_then_every_file_of_the_registry_is_there(ann):
    make_rows(1)

    found = read(prepared(ann))

    assert set(found) == {table.export.name for table in TABLES if isinstance(table.export, Export)} | {"README"}
    assert found["account"][0]["email"] == "ann@example.com"
    assert found["wallet"] == [{"balance": "100.00", "created_at": found["wallet"][0]["created_at"]}]
    assert [row["amount"] for row in found["ledger"]] == ["100.00"]


def test_export_when_written_then_what_was_bought_and_delivered_is_in_it(ann, ben, service):
    order = deliver(ann, service)
    others = deliver(ben, service, ("bens@example.com:pass",))

    export = prepared(ann)
    found = read(export)

    assert [row["id"] for row in found["orders"]] == [order.pk]
    assert found["orders"][0]["link"] == "https://example.com/p/1"
    assert found["delivered_goods"][0]["delivered"] == [LINE]
    assert {row["order_id"] for row in found["order_events"]} == {order.pk}
    assert found["order_events"][0]["details"]["price"] == "0.1875"
    with ZipFile(path_of(export.file_name)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "bens@example.com" not in everything
    assert "ben@example.com" not in everything
    assert others.pk not in {row["id"] for row in found["orders"]}


def test_export_when_written_then_no_secret_is_in_it(ann, sam):
    key, text = create_api_key(user=ann, name="mine")
    hook, secret = add_webhook(user=ann, url="https://ann.example.com/hook")
    record(TrailEntry.Action.CHANGED, actor=sam, target=ann, after={"note": "written by staff"})

    export = prepared(ann)

    with ZipFile(path_of(export.file_name)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for word in (text, key.key_sha256, secret, hook.secret_encrypted, ann.password, "written by staff", sam.email):
        assert word not in everything
    assert "https://ann.example.com/hook" in everything


def test_export_when_staff_noted_something_then_only_the_customers_part_of_the_timeline_is_in_it(ann, service):
    order = deliver(ann, service)
    OrderEvent.objects.create(order=order, code=OrderEvent.Code.ATTENTION, status=order.status, data={"w": "staffs"})

    found = read(prepared(ann))

    assert "attention" not in {row["event"] for row in found["order_events"]}


def test_request_export_when_one_is_under_way_or_was_today_then_refused(ann, ben):
    request_export(ann, now=timezone.now())
    with pytest.raises(ExportUnderWay):
        request_export(ann, now=timezone.now())
    request_export(ben, now=timezone.now())

    assert prepare_exports(clock=timezone.now) == 2

    with pytest.raises(TooSoon):
        request_export(ann, now=timezone.now() + timedelta(hours=23))
    assert request_export(ann, now=timezone.now() + timedelta(hours=25)).state == State.WAITING


def test_export_when_ready_then_mailed_and_the_file_is_the_shops_alone(ann, export_dir):
    export = prepared(ann)

    assert export.state == State.READY
    assert export.rows_done == export.rows_total > 0
    assert Letter.objects.get().address == ann.email
    [path] = export_dir.iterdir()
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(export_dir).st_mode & 0o777 == 0o700
    assert path.stat().st_size == export.file_bytes


class Killed(BaseException):
    """What ends a worker at once."""


def kill_at_a_row(monkeypatch, *, row: int) -> None:
    """Let the worker die at this row of the export."""
    seen, as_ever = [], writing._row

    def dying(*arguments):
        seen.append(1)
        if len(seen) == row:
            raise Killed
        return as_ever(*arguments)

    monkeypatch.setattr(writing, "_row", dying)


def test_prepare_exports_when_the_worker_is_killed_then_the_sweep_begins_again(ann, service, monkeypatch, export_dir):
    for _number in range(3):
        deliver(ann, service)
    export = request_export(ann, now=timezone.now())
    with monkeypatch.context() as killing:
        kill_at_a_row(killing, row=6)
        with pytest.raises(Killed):
            prepare_exports(clock=timezone.now)
    export.refresh_from_db()
    assert (export.state, list(export_dir.iterdir())) == (State.RUNNING, [])
    assert 0 < export.rows_done < export.rows_total

    assert prepare_exports(clock=timezone.now) == 0  # whoever has it may be alive
    assert prepare_exports(clock=lambda: timezone.now() + 2 * operations.CLAIM) == 1

    export.refresh_from_db()
    assert (export.state, export.tries) == (State.READY, 2)
    assert len(read(export)["orders"]) == 3
    assert len(list(export_dir.iterdir())) == 1


@contextmanager
def full_disk() -> Iterator[None]:
    """Let whatever this process writes to a file fail."""
    as_before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, as_before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, as_before)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there the database is on that disk")
def test_prepare_exports_when_the_disk_is_full_then_nothing_is_left_behind_and_a_later_sweep_writes_it(ann, export_dir):
    export = request_export(ann, now=timezone.now())

    with full_disk():
        assert prepare_exports(clock=timezone.now) == 0

    assert list(export_dir.iterdir()) == []
    assert prepare_exports(clock=lambda: timezone.now() + 2 * operations.CLAIM) == 1
    export.refresh_from_db()
    assert (export.state, export.tries) == (State.READY, 2)


def test_prepare_exports_when_the_machine_is_gone_then_the_half_file_is_removed(ann, export_dir):
    # Nobody could clean up: the row says RUNNING, and half a file lies there.
    export = request_export(ann, now=timezone.now())
    export_dir.mkdir()
    (export_dir / "half.zip.part").write_text("half")
    long_ago = timezone.now() - timedelta(hours=1)
    DataExport.objects.filter(pk=export.pk).update(
        state=State.RUNNING, file_name="half.zip", claimed_until=long_ago, tries=1
    )

    assert prepare_exports(clock=timezone.now) == 1

    export.refresh_from_db()
    assert [path.name for path in export_dir.iterdir()] == [export.file_name]


def test_prepare_exports_when_another_worker_took_it_then_the_slow_one_stops(ann, service, monkeypatch, export_dir):
    deliver(ann, service)
    export = request_export(ann, now=timezone.now())
    as_ever = writing._row

    def overtaken(*arguments):
        monkeypatch.setattr(writing, "_row", as_ever)
        assert prepare_exports(clock=lambda: timezone.now() + 2 * operations.CLAIM) == 1
        return as_ever(*arguments)

    monkeypatch.setattr(writing, "_row", overtaken)

    assert prepare_exports(clock=timezone.now) == 0

    export.refresh_from_db()
    assert export.state == State.READY
    assert [path.name for path in export_dir.iterdir()] == [export.file_name]


def test_prepare_exports_when_it_never_works_then_given_up_and_free_again(ann, monkeypatch, export_dir):
    export = request_export(ann, now=timezone.now())

    def broken(*arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr(writing, "_row", broken)
    for round_ in range(operations.MAX_TRIES + 1):
        prepare_exports(clock=lambda ahead=round_: timezone.now() + ahead * 2 * operations.CLAIM)

    export.refresh_from_db()
    assert (export.state, list(export_dir.iterdir())) == (State.FAILED, [])
    assert request_export(ann, now=timezone.now()).pk != export.pk


def test_clean_exports_when_old_then_the_file_goes_and_strays_too(ann, ben, export_dir, settings):
    export, kept = prepared(ann), prepared(ben)
    stray = export_dir / "stray.zip"
    stray.write_text("")
    os.utime(stray, (0, 0))
    now = timezone.now()
    DataExport.objects.filter(pk=export.pk).update(ready_at=now - settings.PRIVACY.exports_kept - timedelta(minutes=1))

    clean_exports(now=now)

    export.refresh_from_db()
    assert (export.state, export.file_name) == (State.GONE, "")
    assert [path.name for path in export_dir.iterdir()] == [kept.file_name]


def sell_many(user, service, count: int) -> None:
    """Write orders as they stand in the table, quickly."""
    checkout = Checkout.objects.create(user=user, request_id="many", fingerprint="x")
    figures = {"price_micros": 1, "rate_micros": 1, "rate_upstream_micros": 1, "rate_per": 1, "cost_upstream_micros": 1}
    order = Order(user=user, checkout=checkout, title="t" * 200, service=service, quantity=1, link="l" * 500, **figures)
    order.status = Status.COMPLETED
    for _batch in range(count // 1000):
        rows = [
            Order(**{f.attname: getattr(order, f.attname) for f in Order._meta.concrete_fields}) for _ in range(1000)
        ]
        Order.objects.bulk_create(rows)


def peak_of(user) -> int:
    """Have an export written and return how many bytes Python held at most meanwhile."""
    request_export(user, now=timezone.now())
    tracemalloc.start()
    try:
        assert prepare_exports(clock=timezone.now) == 1
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_export_when_there_are_many_orders_then_memory_stays_the_same(ann, ben, service, monkeypatch):
    monkeypatch.setattr(writing, "ROWS_AT_ONCE", 100)
    sell_many(ann, service, 1000)
    sell_many(ben, service, 3000)
    few = peak_of(ann)  # also warms up what is made once

    many = peak_of(ben)

    # All of ben's at once would be three times as much: 3000 × 700 bytes of text alone, and more as rows.
    assert many < 1.2 * few


def test_export_when_there_are_many_orders_then_queries_grow_by_batches_alone(ann, service, monkeypatch):
    monkeypatch.setattr(writing, "ROWS_AT_ONCE", 100)
    sell_many(ann, service, 2000)
    request_export(ann, now=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        assert prepare_exports(clock=timezone.now) == 1

    assert len(queries) < 2 * 2000 / 100 + 5 * len(TABLES)


def test_goods_when_their_key_is_gone_then_the_rest_is_written(ann, service):
    order = deliver(ann, service)
    keep_goods(order, [LINE, "second"], timezone.now())
    order.goods.encrypted = "gAAAAAbroken"
    order.goods.save(update_fields=["encrypted"])

    found = read(prepared(ann))

    assert found["delivered_goods"][0]["delivered"] is None
    assert len(found["orders"]) == 1
