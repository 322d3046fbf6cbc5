"""A number that grows with every change of what the shop's pages show: for everything that is cached until then.

Triggers count, so that nothing that writes services, categories or rules can forget to, raw SQL and COPY included. A
change and its count are committed together, and whoever asks the database is never told an older number.

Pages take what the process learned within a tenth of a second, then what Redis has for a second; every statement that
writes one of the tables through Django makes its own process and Redis forget. So a change of the shop's own shows at
once where it was made and a tenth of a second later elsewhere, and one that was made by hand within a second.
"""

import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.cache import cache
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = (
    *("catalog_service", "catalog_servicequality", "catalog_category", "catalog_subcategory"),
    *("catalog_markuprule", "catalog_exchangerate", "catalog_pricepoint", "catalog_searchsynonym"),
)
# The last statement of a sync, which writes services by COPY: that is no statement to Django.
_WRITES = re.compile(rf'\s*(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE) "?(?:{"|".join(TABLES)}|catalog_syncrun)\b')
VERSION_KEY = "catalog_version"
RECENT_SECONDS, PROCESS_SECONDS = 1, 0.1
ASK_THE_DATABASE = "ask"
VERSION = "SELECT COALESCE(SUM(changes), 0) FROM catalog_version"
# The version of what is read at this moment, where that is a replica's: what is made of it is of this one, no newer.
pinned_version: ContextVar[int | None] = ContextVar("pinned_version", default=None)
_known: tuple[int, float] | None = None  # a version, and until when it may be taken
_writes = 0
TRIGGER = "{table}_is_counted_on_{event}"

# Each backend counts in one of 256 rows, and the version is their sum: in one row for all, two transactions that change
# services would wait for each other until the first has ended.
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
POSTGRESQL_TRIGGER = """
    CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {table} {referencing}
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_count_change()
"""
SQLITE_TRIGGER = """
    CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON {table} BEGIN
        INSERT INTO catalog_version (id, changes) VALUES (0, 1) ON CONFLICT (id) DO UPDATE SET changes = changes + 1;
    END
"""


def catalog_version() -> int:
    """Return the number of changes so far; one query."""
    with connection.cursor() as cursor:
        cursor.execute(VERSION)
        return int(cursor.fetchone()[0])


def recent_version() -> int:
    """Return the version as pages may take it; no query when somebody asked within the last second."""
    known = process_version()
    return version_from(cache.get(VERSION_KEY)) if known is None else known


def process_version() -> int | None:
    """Return the version that this process knows from just now, or None."""
    if (pinned := pinned_version.get()) is not None:
        return pinned
    known = _known
    return known[0] if known is not None and time.monotonic() < known[1] else None


def version_from(cached: Any) -> int:
    """Return the version, given what the cache has under VERSION_KEY."""
    global _known
    if (pinned := pinned_version.get()) is not None:
        return pinned
    writes = _writes
    version = cached if isinstance(cached, int) else catalog_version()
    if cached is None:
        # Not over an ASK_THE_DATABASE that has been put there meanwhile.
        cache.add(VERSION_KEY, version, timeout=RECENT_SECONDS)
    # Else it may be from before what another thread has just written, or older than what one has just learned.
    if writes == _writes and version >= (process_version() or 0):
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
    if isinstance(sql, str) and _WRITES.match(sql):
        # Now for the rest of this transaction, and once it is committed for everybody.
        _ask_the_database()
        database = context["connection"]
        scheduled = database.run_on_commit and database.run_on_commit[-1][1] is _ask_the_database
        if database.in_atomic_block and not scheduled:
            transaction.on_commit(_ask_the_database, using=database.alias)
    return result


def _ask_the_database() -> None:
    forget_process_version()
    cache.set(VERSION_KEY, ASK_THE_DATABASE, timeout=2 * RECENT_SECONDS)


def install_triggers(*, using: str = "default", **_of_the_signal: Any) -> None:
    """Make the database count changes; called after every migrate.

    Not a migration: SQLite forgets a table's triggers whenever a later migration changes its columns.
    """
    database = connections[using]
    events = ["insert", "update", "delete"] + (["truncate"] if database.vendor == "postgresql" else [])
    present = set(database.introspection.table_names())
    if "catalog_version" not in present:  # migrated back to before it
        return
    tables = [table for table in TABLES if table in present]
    wanted = {TRIGGER.format(table=table, event=event): (table, event) for table in tables for event in events}
    missing = wanted.keys() - _installed(database)
    if not missing:
        return
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(POSTGRESQL_FUNCTION)
        for name in sorted(missing):
            table, event = wanted[name]
            referencing = "REFERENCING NEW TABLE AS changed" if event == "update" else ""
            template = POSTGRESQL_TRIGGER if database.vendor == "postgresql" else SQLITE_TRIGGER
            cursor.execute(template.format(name=name, event=event, table=table, referencing=referencing))


def _installed(database: BaseDatabaseWrapper) -> set[str]:
    known = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if database.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with database.cursor() as cursor:
        cursor.execute(known)
        return {row[0] for row in cursor.fetchall()}
