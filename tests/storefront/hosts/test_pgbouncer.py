"""Behind a real PgBouncer in transaction mode, whose two connections everybody shares: nothing leans on a session."""

import os
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import InternalError, OperationalError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.long_statements import long_statements
from catalog.models import Service, SyncRun
from catalog.sync.run_lock import holder_is_gone, lock_holder_here
from catalog.sync.runs import SyncAlreadyRunning
from catalog.sync.sync_catalog import sync_catalog
from orders.accounting.audit import audit
from orders.models import Order, Status
from storefront.backups import postgresql as dumps
from storefront.configuration.database import databases
from storefront.configuration.environment import Environment
from storefront.monitoring.doctor import examine
from storefront.postgresql.limits import LIMITS, Process, this_process_is
from tests.catalog.sync.test_processes import HANGING_SYNC, ROOT
from tests.storefront.hosts.conftest import POOL_SIZE, Pool
from tests.workers import wait_for

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about connections to PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


def one(statement: str, params: Any = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()


@pytest.fixture
def web_process(pooled: dict[str, Any]) -> None:
    """Be a web process behind the pool, whose statements take half a second at most."""
    pooled[LIMITS] = {
        "web": {"statement_timeout": 500, "lock_timeout": 300, "idle_in_transaction_session_timeout": 700}
    }
    this_process_is(Process.WEB)
    connection.close()


@pytest.mark.broker
def test_shop_behind_a_pool_when_it_sells_forwards_polls_syncs_and_searches_then_the_books_add_up(
    pooled: dict[str, Any],
    bouncer: Pool,
    web: Any,
    workers: Any,
    sandbox: Any,
    service: Service,
    key: str,
    client_upstream: Any,
) -> None:
    web.start("--threads", "6", **bouncer.environment)
    workers.environment |= bouncer.environment
    workers.worker()
    workers.beat()
    buy = {"key": key, "action": "add", "service": service.pk, "quantity": 100}

    calls = [web.call(**buy, link=f"https://x.com/{number}") for number in range(12)]

    answers = [call.result(30) for call in calls]
    assert ["order" in answer.json() for answer in answers] == 12 * [True], answers[0].text
    for rate in ("1.50", "1.75"):  # all rows are new, and then one has changed
        sandbox.set_service(service.upstream_id, rate=rate)
        assert sync_catalog(client=client_upstream, now=timezone.now()).status == SyncRun.Status.APPLIED
    wait_for(lambda: Order.objects.filter(status=Status.PENDING).count() == 12, "all are forwarded")
    for order in Order.objects.all():
        sandbox.set_order(order.upstream_id, status="Completed", remains=0)
    wait_for(lambda: Order.objects.filter(status=Status.COMPLETED).count() == 12, "all are polled to their end")
    assert reverse("orders:place", args=[service.pk]) in web.get("/catalog/search/?q=followers real").text
    assert "services" in web.call(key=key, action="services").result(30).json()
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert len(sandbox.orders) == 12


def test_limits_when_a_statement_takes_too_long_then_it_ends_alone_and_in_a_transaction(web_process: None) -> None:
    with pytest.raises(OperationalError, match="statement timeout"):
        one("SELECT pg_sleep(0.8)")
    with transaction.atomic():
        one("SELECT %s", [1])
        with pytest.raises(OperationalError, match="statement timeout"):
            one("SELECT pg_sleep(0.8)")
        transaction.set_rollback(True)
    with long_statements():
        one("SELECT pg_sleep(0.8)")

    def idle() -> None:
        with transaction.atomic():
            one("SELECT 1")
            time.sleep(1.2)
            one("SELECT 1")

    with pytest.raises(InternalError, match="idle-in-transaction"):
        idle()


def test_limits_when_a_transaction_begins_with_many_rows_or_a_copy_then_they_hold_too(web_process: None) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.executemany("SELECT %s", [[1], [2]])
        assert one("SHOW statement_timeout") == ("500ms",)
    with transaction.atomic():
        with connection.cursor() as cursor, cursor.copy("COPY (SELECT 1) TO STDOUT") as copy:
            assert list(copy.rows()) == [("1",)]
        assert one("SHOW lock_timeout") == ("300ms",)


def test_limits_when_a_transaction_has_ended_then_whoever_has_the_connection_next_has_none(
    web_process: None, bouncer: Pool
) -> None:
    for _each in range(2 * POOL_SIZE):
        assert one("SHOW statement_timeout") == ("500ms",)
    with psycopg.connect(bouncer.environment["DATABASE_URL"], autocommit=True) as somebody:
        for _each in range(2 * POOL_SIZE):
            assert somebody.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_cursor_when_it_says_the_limits_then_the_answer_is_that_of_the_statement(web_process: None, ann: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET email = %s", ["ann@x.com"])
        assert cursor.rowcount == 1
        cursor.execute("SELECT email, %s FROM accounts_user", ["50%"])
        assert [column.name for column in cursor.description] == ["email", "?column?"]
        assert cursor.fetchall() == [("ann@x.com", "50%")]


def test_cursor_when_a_tool_makes_its_own_of_it_then_that_says_the_limits_too(web_process: None) -> None:
    """As traces do: they take the class that a connection makes cursors of, and derive theirs."""
    params = connection.get_connection_params()
    factory = params.pop("cursor_factory")
    with psycopg.connect(**params, cursor_factory=type("Traced", (factory,), {}), autocommit=True) as own:
        assert own.execute("SELECT current_setting('lock_timeout')").fetchone() == ("300ms",)


def test_prepared_cursor_behind_a_pool_then_it_says_the_limits_as_every_cursor_does(web_process: None) -> None:
    with connection.prepared_cursor() as cursor:  # type: ignore[attr-defined]  # our own backend's
        cursor.execute("SELECT current_setting('lock_timeout'), %s", [7])
        assert cursor.fetchall() == [("300ms", 7)]


def test_place_order_behind_a_pool_then_nothing_is_prepared_there(web_process: None, place: Any) -> None:
    for _each in range(3):
        place()

    with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": None}, autocommit=True) as somebody:
        prepared = [somebody.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() for _ in range(4)]
    assert prepared == [(0,)] * 4
    assert Order.objects.count() == 3


def test_sync_when_its_process_is_killed_behind_a_pool_then_it_held_the_lock_and_holds_it_no_longer(
    pooled: dict[str, Any], bouncer: Pool, sandbox: Any, client_upstream: Any
) -> None:
    """The pool keeps the connection that the killed process last had."""
    environment = {**os.environ, **bouncer.environment}
    command = [sys.executable, "-c", HANGING_SYNC, "services"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
            with pytest.raises(SyncAlreadyRunning):
                sync_catalog(client=client_upstream, now=timezone.now())
        finally:
            process.kill()
    holder = SyncRun.objects.get().lock_holder
    wait_for(lambda: holder_is_gone(holder), "the server has noticed")

    assert sync_catalog(client=client_upstream, now=timezone.now()).status == SyncRun.Status.APPLIED

    assert not holder_is_gone(lock_holder_here())  # this process lives, whatever became of the pool's connections


def test_lock_holder_here_when_its_connection_has_ended_then_it_takes_another(pooled: dict[str, Any]) -> None:
    first = lock_holder_here()
    assert lock_holder_here() == first
    with psycopg.connect(**pooled_past(pooled), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [int(first.split()[0])])

    assert holder_is_gone(first)
    assert lock_holder_here() != first


def pooled_past(pooled: dict[str, Any]) -> dict[str, Any]:
    direct = pooled["DIRECT"]
    return {"host": direct["HOST"], "port": direct["PORT"], "dbname": direct["NAME"], "user": direct["USER"]}


def test_migrate_behind_a_pool_then_it_goes_past_it_and_leaves_no_limit_there(
    pooled: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(
        "django.core.management.commands.migrate.Command.handle", lambda *_a, **_o: asked.append(past_the_pool())
    )

    call_command("migrate", stdout=StringIO())

    assert asked == [True]
    assert not past_the_pool()
    assert dumps.environment()["PGPORT"] == str(pooled["DIRECT"]["PORT"])


def past_the_pool() -> bool:
    """Return whether the server's process is the one that we connected to."""
    connection.ensure_connection()
    return bool(one("SELECT pg_backend_pid()")[0] == connection.connection.info.backend_pid)


def test_doctor_when_a_pool_stands_between_then_it_says_whether_the_shop_knows(pooled: dict[str, Any]) -> None:
    [known] = examine(["connections"])
    assert known.well
    pooled["DIRECT"] = None
    connection.close()

    [unknown] = examine(["connections"])

    assert not unknown.well
    assert "DATABASE_DIRECT_URL" in unknown.text


def test_databases_when_the_direct_address_names_another_user_then_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://shop@pool/shop")
    monkeypatch.setenv("DATABASE_DIRECT_URL", "postgres://other@server/shop")

    with pytest.raises(ImproperlyConfigured, match="the same user"):
        databases(Environment(tmp_path / "none"), tmp_path)
