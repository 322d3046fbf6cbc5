"""A real streaming replica: visitors browse there, what it lacks comes from the primary, and nobody writes to it."""

import json
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection, connections, router, transaction
from django.test import Client
from django.urls import reverse

from api.actions import services
from catalog.caching import replica as reading
from catalog.caching.replica import REPLICA, CatalogRouter, read_at
from catalog.caching.version import TABLES, catalog_version, pinned_version, recent_version
from catalog.caching.versioned_cache import cache_key, cached, look_up, process_cached
from catalog.models import Service
from storefront.configuration.database import databases
from storefront.configuration.environment import Environment
from storefront.metrics import page as metrics
from storefront.monitoring import connections as examined
from storefront.monitoring.doctor import examine
from tests.provision.postgres import Standby
from tests.workers import database_url, wait_for

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about a replica of PostgreSQL"),
    pytest.mark.skipif("MIGRATED_POSTGRES" not in os.environ, reason="needs the server of tests.provision to copy it"),
    pytest.mark.django_db(transaction=True),
]
READ = re.compile(r'(?:FROM|JOIN|UPDATE|INTO) "?(\w+)"?', re.IGNORECASE)


@pytest.fixture(scope="module")
def standby(django_db_setup: None, django_db_blocker: Any) -> Iterator[Standby]:
    """A copy of the whole server, which follows it."""
    with django_db_blocker.unblock(), Standby(database_url()) as server:
        yield server


@pytest.fixture
def replica(standby: Standby, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standby]:
    """The shop with that replica, as the settings make it."""
    use(standby.url_of(connection.settings_dict["NAME"]), monkeypatch)
    yield standby
    replay(standby, go_on=True)
    connections[REPLICA].close()
    del connections[REPLICA], connections.settings[REPLICA]


def use(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setenv("DATABASE_REPLICA_URL", url)
    own = databases(Environment(Path("/none")), Path("/none"))[REPLICA]
    connections.settings[REPLICA] = connections.configure_settings({"default": {}, REPLICA: own})[REPLICA]
    # Django's test case forbids what it did not know when the test began, by its name.
    connections[REPLICA].alias = "the replica of this test"
    monkeypatch.setattr(router, "routers", [CatalogRouter()])
    monkeypatch.setattr(reading, "_asked_again_at", 0.0)
    monkeypatch.setattr(reading, "_last", "read")


def replay(standby: Standby, *, go_on: bool) -> None:
    """Let the replica follow, or stand still where it is."""
    with psycopg.connect(standby.url, autocommit=True) as admin:
        if go_on:
            admin.execute("SELECT pg_wal_replay_resume()")
            return
        admin.execute("SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state()"
        wait_for(lambda: admin.execute(state).fetchone() == ("paused",), "it stands still")


def written_down() -> None:
    """Have the primary write what it has committed: the tests' server puts that off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute("SELECT pg_logical_emit_message(true, 'test', '')")


def keeps_up() -> None:
    written_down()
    wait_for(lambda: examined.replica_lag() == 0, "the replica has what the primary has")
    connections[REPLICA].close()


def tables_of(text: str) -> set[str]:
    """Return the tables that a part of the replica's log names, not its cursors and its own words."""
    spoken = re.compile(r"statement:|execute \w+:|execute <unnamed>:")
    found = {name for line in text.splitlines() if spoken.search(line) for name in READ.findall(line)}
    return {name for name in found - {"found"} if not name.startswith("_django_curs")}


def test_pages_when_there_is_a_replica_then_the_catalog_alone_is_read_there_and_nothing_is_written(
    replica: Standby, service: Service, ann: Any, key: str, place: Any
) -> None:
    keeps_up()
    visitor, customer = Client(), Client()
    customer.force_login(ann)
    category = reverse("catalog:category", args=[service.category_id])
    before = len(replica.statements())

    pages = [
        *(
            visitor.get(path)
            for path in ("/", "/catalog/", category, "/catalog/search/", "/catalog/search/?q=followers")
        ),
        *(customer.get(path) for path in (category, "/catalog/search/?q=insta", f"/order/{service.pk}/")),
        customer.get("/catalog/search/?q=real", headers={"HX-Request": "true"}),
        *(Client().post("/api/v2", {"key": key, "action": action}) for action in ("services", "categories")),
    ]

    assert [page.status_code for page in pages] == len(pages) * [200]
    read = replica.statements()[before:]
    assert {"catalog_service", "catalog_category", "catalog_markuprule"} <= tables_of(read)
    assert tables_of(read) <= {*TABLES, "catalog_version"}
    assert not re.search(r"\b(INSERT|UPDATE|DELETE)\b", read)
    before = len(replica.statements())
    place()
    assert customer.get(reverse("catalog:favorites")).status_code == 200
    Client().post("/api/v2", {"key": key, "action": "balance"})
    assert tables_of(replica.statements()[before:]) == set()


def test_page_when_the_replica_has_not_the_last_change_then_the_primary_s_is_shown_and_cached(
    replica: Standby, service: Service
) -> None:
    keeps_up()
    path = reverse("catalog:category", args=[service.category_id])
    replay(replica, go_on=False)
    Service.objects.filter(pk=service.pk).update(name="Changed a moment ago", display_name="Changed a moment ago")

    assert "Changed a moment ago" in Client().get(path).text

    assert reading._last == "behind"
    replay(replica, go_on=True)
    keeps_up()
    assert "Changed a moment ago" in Client().get(path).text  # from the cache, under the version it is of


def test_read_at_when_the_primary_moves_on_meanwhile_then_what_is_cached_has_the_version_of_what_was_read(
    replica: Standby, service: Service
) -> None:
    """A page asks for the version and for rows more than once: all of it is of one moment, and so is its version."""
    keeps_up()
    version, key = recent_version(), cache_key("named")

    def learned() -> int:
        try:
            return recent_version()
        finally:
            connection.close()

    def make() -> str:
        Service.objects.filter(pk=service.pk).update(name="Newer")
        written_down()
        renamed = "SELECT 1 FROM catalog_service WHERE name = 'Newer'"
        with psycopg.connect(replica.url_of(connection.settings_dict["NAME"])) as somebody:
            somebody.autocommit = True
            wait_for(lambda: somebody.execute(renamed).fetchone(), "the replica has it by now")
        with ThreadPoolExecutor(1) as beside:  # and another page of this process has learned the newer version
            assert beside.submit(learned).result() > version
        assert look_up(cache_key("a page inside the page"))[0] == version
        return process_cached(key, recent_version(), lambda: Service.objects.get(pk=service.pk).name)

    assert read_at(version, make) == service.name

    newest = catalog_version()
    assert recent_version() == newest > version
    assert (cached(key, newest), cached(key, version) is not None) == (None, True)


def test_read_at_when_the_replica_is_away_then_the_primary_answers_and_it_is_left_alone_for_a_while(
    replica: Standby, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeps_up()
    made: list[str] = []

    def make() -> str:
        made.append(router.db_for_read(Service))
        if len(made) == 1:
            replica.kill()
        return Service.objects.get(pk=service.pk).name

    assert read_at(catalog_version(), make) == service.name

    assert made == [REPLICA, "default"]  # it went in the middle of the page, which was made once more
    assert reading._asked_again_at > time.monotonic() + reading.AWAY_SECONDS - 5
    assert read_at(catalog_version(), make) == service.name
    assert made == [REPLICA, "default", "default"]
    replica.start_again()
    keeps_up()
    monkeypatch.setattr(reading, "_asked_again_at", 0.0)  # the pause is over
    assert read_at(catalog_version(), make) == service.name
    assert made[-1] == REPLICA
    assert caplog.text.count("replica_away") == 1


def test_read_at_when_the_replica_does_not_answer_any_more_then_one_page_waits_and_the_primary_answers(
    replica: Standby, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine keeps the line, so nothing but our own patience ends the wait."""
    keeps_up()
    connections[REPLICA].settings_dict["PATIENCE_SECONDS"] = 0.5
    made: list[str] = []

    def make() -> str:
        made.append(router.db_for_read(Service))
        return Service.objects.get(pk=service.pk).name

    assert read_at(catalog_version(), make) == service.name
    with replica.frozen():
        began = time.monotonic()
        assert read_at(catalog_version(), make) == service.name
        assert 0.4 < time.monotonic() - began < 5
        assert (reading._last, made) == ("away", [REPLICA, "default"])
        monkeypatch.setattr(reading, "_asked_again_at", 0.0)  # the pause is over: one tries, the others do not wait
        assert (reading._is_tried(), reading._is_tried()) == (True, False)
    monkeypatch.setattr(reading, "_asked_again_at", 0.0)
    assert read_at(catalog_version(), make) == service.name
    assert made[-1] == REPLICA


def test_list_when_the_replica_goes_while_it_is_written_then_it_is_whole_and_from_the_primary(
    replica: Standby, service: Service, key: str, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    keeps_up()
    settings.API_CACHE_DIR = tmp_path
    monkeypatch.setattr(services, "SHORT", 0)
    written, lines = services.written, []

    def dying(*arguments: Any, **more: Any) -> Iterator[bytes]:
        for piece in written(*arguments, **more):
            if not lines:
                replica.kill()
            lines.append(piece)
            yield piece

    monkeypatch.setattr(services, "written", dying)

    answer = Client().post("/api/v2", {"key": key, "action": "services"})

    assert [row["service"] for row in json.loads(b"".join(answer.streaming_content))["services"]] == [service.pk]
    assert reading._last == "away"
    replica.start_again()


def test_read_at_when_the_replica_knows_newer_stock_then_what_is_kept_of_the_catalog_holds(
    replica: Standby, service: Service
) -> None:
    Service.objects.filter(pk=service.pk).update(stock=3)
    keeps_up()
    version = recent_version()
    Service.objects.filter(pk=service.pk).update(stock=7)
    keeps_up()
    assert catalog_version().stock > version.stock

    assert read_at(version, lambda: (pinned_version.get(), Service.objects.get(pk=service.pk).stock)) == (version, 7)
    # What tells no stock is asked for without, and finds what is kept with it.
    assert read_at(version.without_stock, pinned_version.get) == recent_version() == catalog_version()


def test_replica_when_it_is_set_then_long_lists_come_in_pieces_and_its_own_limits_are_short(replica: Standby) -> None:
    own = connections[REPLICA].settings_dict

    assert own["DISABLE_SERVER_SIDE_CURSORS"] is False
    assert {of_it["statement_timeout"] for of_it in own["LIMITS"].values()} == {5000}


def test_read_at_when_the_page_itself_fails_then_it_is_made_once_and_the_replica_keeps_its_good_name(
    replica: Standby,
) -> None:
    keeps_up()
    made: list[str] = []

    def make() -> None:
        made.append("")
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")

    with pytest.raises(Error):
        read_at(catalog_version(), make)
    assert (len(made), reading._last) == (1, "read")


def test_replica_when_its_address_is_the_primary_s_then_it_is_not_believed_and_not_written_to(
    standby: Standby, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a failover: what was the replica goes a way of its own."""
    use(database_url(), monkeypatch)
    try:
        assert read_at(catalog_version(), lambda: router.db_for_read(Service)) == "default"
        with pytest.raises(Error, match="read-only"), connections[REPLICA].cursor() as cursor:
            cursor.execute("UPDATE catalog_service SET position = 1")
        [found] = examine(["replica"])
        assert (found.severity, "no replica of this database" in found.text) == ("warning", True)
    finally:
        connections[REPLICA].close()
        del connections[REPLICA], connections.settings[REPLICA]


def test_doctor_and_metrics_when_the_replica_lags_or_is_away_then_they_say_so(
    replica: Standby, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examined, "PATIENCE_SECONDS", 0.3)
    keeps_up()
    assert [finding.severity for finding in examine(["replica"])] == ["ok"]
    assert told("shop_replica_up") == 1
    replay(replica, go_on=False)
    Service.objects.filter(pk=service.pk).update(position=7)
    written_down()

    [behind] = examine(["replica"])
    lag = told("shop_replica_lag_seconds")

    assert (behind.severity, "behind" in behind.text) == ("warning", True)
    assert lag is not None
    assert lag > 0
    replica.kill()
    [away] = examine(["replica"])
    assert (away.severity, "does not answer" in away.text) == ("warning", True)
    assert (told("shop_replica_up"), told("shop_replica_lag_seconds")) == (0, None)
    replica.start_again()


def told(gauge: str) -> float | None:
    metrics.forget()
    found = re.search(rf"^{gauge} (\S+)$", metrics.written().decode(), re.MULTILINE)
    return float(found[1]) if found else None


def test_databases_when_the_shop_runs_on_a_file_then_a_replica_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////shop.sqlite3")
    monkeypatch.setenv("DATABASE_REPLICA_URL", "postgres://shop@replica/shop")

    with pytest.raises(ImproperlyConfigured, match="DATABASE_REPLICA_URL"):
        databases(Environment(tmp_path / "none"), tmp_path)
