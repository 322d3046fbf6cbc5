"""A number that grows with every change of what the shop's pages show: for everything that is kept until then.

Triggers count, so that nothing that writes services, categories or rules can forget to, raw SQL and COPY included. A
change and its count are committed together, and whoever asks the database is never told an older number.
"""

from typing import Any

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("catalog_service", "catalog_category", "catalog_subcategory", "catalog_markuprule")
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
        cursor.execute("SELECT COALESCE(SUM(changes), 0) FROM catalog_version")
        return int(cursor.fetchone()[0])


def install_triggers(*, using: str = "default", **_of_the_signal: Any) -> None:
    """Make the database count changes; called after every migrate.

    Not a migration: SQLite forgets a table's triggers whenever a later migration changes its columns.
    """
    database = connections[using]
    events = ["insert", "update", "delete"] + (["truncate"] if database.vendor == "postgresql" else [])
    wanted = {TRIGGER.format(table=table, event=event): (table, event) for table in TABLES for event in events}
    present = set(database.introspection.table_names())
    if not {"catalog_version", *TABLES} <= present:  # migrated back to before them
        return
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
