"""A number that grows with every change of what the shop's pages show: for everything that is cached until then.

Triggers count, so that nothing that writes services, categories or rules can forget to, raw SQL and COPY included. A
change and its count are committed together, and whoever asks the database is never told an older number.

Pages take what the process learned within a tenth of a second, then what Redis has for a second; every statement that
writes one of the tables through Django makes its own process and Redis forget. So a change of the shop's own shows at
once where it was made and two tenths of a second later elsewhere, and one that was made by hand within a second.

Stock changes all the time, and most pages do not tell it. So an update that changes nothing but stock is counted apart,
and what tells stock takes that count as it was within the last STOCK_CACHE_SECONDS: so much older than the shop's own
books a number may be. Where a service is sold out or back the count is asked for anew at once (`forget_stock`).
"""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = (
    *("catalog_service", "catalog_servicequality", "catalog_category", "catalog_subcategory"),
    *("catalog_markuprule", "catalog_exchangerate", "catalog_pricepoint", "catalog_searchsynonym"),
)
# The last statement of a sync, which writes services by COPY: that is no statement to Django.
_WRITES = re.compile(rf'\s*(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE) "?(?:{"|".join(TABLES)}|catalog_syncrun)\b')
# What `catalog.operations.stock` writes: whether anybody has to know at once is for it to say.
_STOCK_ALONE = re.compile(r'UPDATE "catalog_service" SET "stock" = %s, "changed_at" = %s WHERE ')
SERVICES = "catalog_service"
# Columns of a service whose changes are no new version; the second is the time of any change, which no page tells.
UNCOUNTED = ("stock", "changed_at")
# Another release counted stock in the first as well, under another name.
VERSION_KEY, STOCK_KEY = "catalog_changes", "catalog_stock_changes"
RECENT_SECONDS, PROCESS_SECONDS = 1, 0.1
ASK_THE_DATABASE = "ask"
COUNTS = "COALESCE(SUM(changes) FILTER (WHERE id >= 0), 0), COALESCE(SUM(changes) FILTER (WHERE id < 0), 0)"
# The version of what is read at this moment, where that is a replica's: what is made of it is of this one, no newer.
pinned_version: "ContextVar[Version | None]" = ContextVar("pinned_version", default=None)
_known: "tuple[Version, float] | None" = None  # and until when it may be taken
_asks_until = 0.0  # one thread asks for another version
_writes = 0
TRIGGER = "{table}_is_counted_on_{event}"
COMPARING = TRIGGER.format(table=SERVICES, event="update")
_ANY_TRIGGER = re.compile(r"catalog_[a-z]+_is_counted_on_\w+")

# Each backend counts in one of 256 rows, and the version is their sum: in one row for all, two transactions that change
# services would wait for each other until the first has ended. Rows below zero count stock.
POSTGRESQL_FUNCTION = """
    CREATE OR REPLACE FUNCTION catalog_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- An update that matched no row fires as well. Two conditions, because only an update has the table of rows.
        IF TG_OP = 'UPDATE' THEN
            IF NOT EXISTS (SELECT 1 FROM changed) THEN
                RETURN NULL;
            END IF;
        END IF;
        INSERT INTO catalog_version AS counted (id, changes) VALUES (pg_backend_pid() % 256, 1)
            ON CONFLICT (id) DO UPDATE SET changes = counted.changes + 1;
        RETURN NULL;
    END $$
"""
# A plan is made once a session, maybe for one row: two tables of all services must not be joined by a loop in a loop.
POSTGRESQL_SERVICES_FUNCTION = """
    CREATE OR REPLACE FUNCTION catalog_count_services_change() RETURNS trigger LANGUAGE plpgsql
    SET enable_nestloop = off AS $$
    DECLARE
        place integer := pg_backend_pid() % 256;
    BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM changed LEFT JOIN before USING (id) WHERE ({after}) IS DISTINCT FROM ({before})
        ) THEN
            IF NOT EXISTS (
                SELECT 1 FROM changed JOIN before USING (id) WHERE changed.stock IS DISTINCT FROM before.stock
            ) THEN
                RETURN NULL;
            END IF;
            place := -1 - place;
        END IF;
        INSERT INTO catalog_version AS counted (id, changes) VALUES (place, 1)
            ON CONFLICT (id) DO UPDATE SET changes = counted.changes + 1;
        RETURN NULL;
    END $$
"""
POSTGRESQL_TRIGGER = """
    CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {table} {referencing}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}()
"""
SQLITE_TRIGGER = """
    CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON {table} {condition} BEGIN
        INSERT INTO catalog_version (id, changes) VALUES ({place}, 1)
            ON CONFLICT (id) DO UPDATE SET changes = changes + 1;
    END
"""

DROP = {"postgresql": "DROP TRIGGER {name} ON {table}", "sqlite": "DROP TRIGGER {name}"}


class Version(NamedTuple):
    """How often the catalog has changed, and how often nothing but stock has. Of equal ones all pages are the same."""

    catalog: int
    stock: int = 0

    def has(self, other: "Version") -> bool:
        """Whether everything that the other one counts is counted in this one, too."""
        return self.catalog >= other.catalog and self.stock >= other.stock

    @property
    def without_stock(self) -> "Version":
        """What something goes by that tells no stock."""
        return Version(self.catalog)


def catalog_version() -> Version:
    """Return the number of changes so far; one query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COUNTS} FROM catalog_version")  # noqa: S608 - our own text
        return Version(*map(int, cursor.fetchone()))


def recent_version() -> Version:
    """Return the version as pages may take it; no query when somebody asked within the last second."""
    known = process_version()
    return version_from(cache.get_many([VERSION_KEY, STOCK_KEY])) if known is None else known


def process_version() -> Version | None:
    """Return the version that this process knows from just now, or None.

    When that is over one thread gets None and asks; the others take the version for another moment.
    """
    global _asks_until
    if (pinned := pinned_version.get()) is not None:
        return pinned
    known, now = _known, time.monotonic()
    if known is None or now >= known[1] + PROCESS_SECONDS:
        return None
    if now >= known[1] and now >= _asks_until:
        _asks_until = known[1] + PROCESS_SECONDS
        return None
    return known[0]


def version_from(cached: Mapping[str, Any]) -> Version:
    """Return the version, given what the cache has under VERSION_KEY and STOCK_KEY."""
    global _known
    if (pinned := pinned_version.get()) is not None:
        return pinned
    writes = _writes
    catalog, stock = cached.get(VERSION_KEY), cached.get(STOCK_KEY)
    if not (isinstance(catalog, int) and isinstance(stock, int)):
        now = catalog_version()
        # Not over an ASK_THE_DATABASE that has been put there meanwhile.
        if catalog is None:
            cache.add(VERSION_KEY, now.catalog, timeout=RECENT_SECONDS)
        if stock is None:
            cache.add(STOCK_KEY, now.stock, timeout=settings.STOCK_CACHE_SECONDS)
        catalog = catalog if isinstance(catalog, int) else now.catalog
        stock = stock if isinstance(stock, int) else now.stock
    version = Version(catalog, stock)
    # Else it may be from before what another thread has just written, or older than what one has just learned.
    known = _known
    newer = known is None or time.monotonic() >= known[1] or version >= known[0]
    if writes == _writes and newer:
        _known = version, time.monotonic() + PROCESS_SECONDS
    return version


def forget_process_version() -> None:
    """Make this process ask again."""
    global _known, _writes
    _writes += 1
    _known = None


def watch_connection(*, connection: BaseDatabaseWrapper, **_of_the_signal: Any) -> None:
    """Look at what is written through this connection; called for each new one."""
    if _watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watched)


def _watched(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    result = execute(sql, params, many, context)
    if isinstance(sql, str) and _WRITES.match(sql) and not _STOCK_ALONE.match(sql):
        # Now for the rest of this transaction, and once it is committed for everybody.
        _ask_the_database()
        database = context["connection"]
        scheduled = database.run_on_commit and database.run_on_commit[-1][1] is _ask_the_database
        if database.in_atomic_block and not scheduled:
            transaction.on_commit(_ask_the_database, using=database.alias)
    return result


def _ask_the_database() -> None:
    forget_process_version()
    cache.set_many(dict.fromkeys((VERSION_KEY, STOCK_KEY), ASK_THE_DATABASE), timeout=2 * RECENT_SECONDS)


def forget_stock() -> None:
    """Have what tells stock made anew at once: a service is sold out now, or back. Needs no transaction."""
    forget_process_version()
    cache.set(STOCK_KEY, ASK_THE_DATABASE, timeout=2 * RECENT_SECONDS)


def install_triggers(*, using: str = "default", **_of_the_signal: Any) -> None:
    """Make the database count changes; called after every migrate.

    Not a migration: SQLite forgets a table's triggers whenever a later migration changes its columns. And the one that
    compares services is another one, by its name too, whenever a migration has given them other columns.
    """
    database = connections[using]
    present = set(database.introspection.table_names())
    if "catalog_version" not in present:  # migrated back to before it
        return
    wanted = _wanted(database, present)
    installed = {name: table for name, table in _installed(database).items() if _ANY_TRIGGER.fullmatch(name)}
    if wanted.keys() == installed.keys():
        return
    with transaction.atomic(using=using), database.cursor() as cursor:
        for name in sorted(wanted.keys() - installed.keys()):
            for statement in wanted[name]:
                cursor.execute(statement)
        for name in sorted(installed.keys() - wanted.keys()):
            cursor.execute(DROP[database.vendor].format(name=name, table=installed[name]))
        # What a migration has just written may have been compared without its new columns.
        cursor.execute(
            "INSERT INTO catalog_version (id, changes) VALUES (0, 1)"
            " ON CONFLICT (id) DO UPDATE SET changes = catalog_version.changes + 1"
        )


def count_plainly(*, using: str = "default", plan: Any = None, **_of_the_signal: Any) -> None:
    """Let every update of services count, before migrations change its columns: what compares them names each.

    Called before every migrate that has something to do; `install_triggers` comes after it.
    """
    database = connections[using]
    if plan == []:
        return
    comparing = [name for name in _installed(database) if name.startswith(f"{COMPARING}_")]
    if not comparing or "catalog_version" not in database.introspection.table_names():
        return
    with transaction.atomic(using=using), database.cursor() as cursor:
        for statement in _plain(database, COMPARING, SERVICES, "update"):
            cursor.execute(statement)
        for name in comparing:
            cursor.execute(DROP[database.vendor].format(name=name, table=SERVICES))


def _wanted(database: BaseDatabaseWrapper, present: set[str]) -> dict[str, list[str]]:
    """Return the triggers there should be, and the statements that make each."""
    events = ["insert", "update", "delete"] + (["truncate"] if database.vendor == "postgresql" else [])
    made: dict[str, list[str]] = {}
    for table in (table for table in TABLES if table in present):
        for event in events:
            name = TRIGGER.format(table=table, event=event)
            if (table, event) == (SERVICES, "update"):
                made |= _comparing(database, name)
            else:
                made[name] = _plain(database, name, table, event)
    return made


def _plain(database: BaseDatabaseWrapper, name: str, table: str, event: str) -> list[str]:
    """Return the statements for a trigger that counts whatever changes."""
    about = {"name": name, "event": event, "table": table}
    if database.vendor != "postgresql":
        return [SQLITE_TRIGGER.format(**about, condition="", place=0)]
    about["referencing"] = "REFERENCING NEW TABLE AS changed" if event == "update" else ""
    return [POSTGRESQL_FUNCTION, POSTGRESQL_TRIGGER.format(**about, function="catalog_count_change")]


def _comparing(database: BaseDatabaseWrapper, name: str) -> dict[str, list[str]]:
    """Return the triggers that tell updates of services which change stock alone from others."""
    with database.cursor() as cursor:
        described = database.introspection.get_table_description(cursor, SERVICES)
    columns = [database.ops.quote_name(column.name) for column in described if column.name not in UNCOUNTED]
    about = {"event": "update", "table": SERVICES}
    if database.vendor == "postgresql":
        after, before = (", ".join(f"{side}.{column}" for column in columns) for side in ("changed", "before"))
        function = POSTGRESQL_SERVICES_FUNCTION.format(after=after, before=before)
        name = f"{name}_{_digest(function)}"
        about["referencing"] = "REFERENCING OLD TABLE AS before NEW TABLE AS changed"
        return {
            name: [function, POSTGRESQL_TRIGGER.format(name=name, **about, function="catalog_count_services_change")]
        }
    others = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
    conditions = {0: f"WHEN {others}", -1: f"WHEN OLD.stock IS NOT NEW.stock AND NOT ({others})"}
    made = {}
    for place, condition in conditions.items():
        named = f"{name}_{_digest(condition)}"
        made[named] = [SQLITE_TRIGGER.format(name=named, **about, condition=condition, place=place)]
    return made


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _installed(database: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the names of the database's triggers, and the table each is on."""
    known = (
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        if database.vendor == "postgresql"
        else "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    )
    with database.cursor() as cursor:
        cursor.execute(known)
        return dict(cursor.fetchall())
