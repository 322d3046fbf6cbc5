"""Tables that the database itself only lets grow, whoever asks: an admin, a script, a psql prompt.

Triggers refuse UPDATE and DELETE, on PostgreSQL TRUNCATE too. They are put in place after every `migrate`, because
SQLite forgets a table's triggers whenever a migration writes the table anew. What retention may empty in rows beyond a
set age is the one exception. On PostgreSQL functions do it that belong to the role that migrates: the role that runs
the shop may call them and has no other way (see `storefront/postgresql/roles.py`). The age stands in a table that only
the migrating role writes, so nobody who took over the running shop can shorten it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection as default_connection
from django.db import transaction

AGES = "accounts_retentionage"


@dataclass(frozen=True)
class Protected:
    """A table that only grows. `emptied`: what retention may make of these columns once a row is older than `age`."""

    table: str
    words: str
    emptied: dict[str, Any] = field(default_factory=dict)
    age: str = ""


TRAIL = Protected("accounts_trailentry", "trail entries", {"address": None, "agent": "", "origin_salt": ""}, "trail")
EVENTS = Protected("orders_orderevent", "order events", {"evidence": {}}, "order evidence")
PROTECTED = (
    Protected("wallet_ledgerentry", "ledger rows"),
    Protected("wallet_receipt", "receipts"),
    EVENTS,
    TRAIL,
    Protected("preferences_preferencechange", "changes of preferences"),
    Protected("support_documentversion", "versions of documents"),
)
WORDS = {one.table: one.words for one in PROTECTED}

# The search path is fixed: else whoever calls could put a temporary table in the place of the ages.
FUNCTION = """
CREATE OR REPLACE FUNCTION {schema}.shop_only_grows() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {schema}, pg_temp AS $$
DECLARE
    set_days integer;
BEGIN
    IF TG_OP = 'UPDATE' AND TG_NARGS > 1 THEN
        SELECT days INTO set_days FROM {schema}.{ages} WHERE name = TG_ARGV[2];
        IF to_jsonb(NEW) = to_jsonb(OLD) || TG_ARGV[1]::jsonb AND set_days IS NOT NULL
            AND (to_jsonb(OLD)->>'created_at')::timestamptz < now() - make_interval(days => set_days) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% are never edited or deleted', TG_ARGV[0];
END $$;
"""
EMPTYING = """
CREATE OR REPLACE FUNCTION {schema}.{name}(ids bigint[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE {schema}.{table} SET {assigned} WHERE id = ANY(ids);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
REVOKE EXECUTE ON FUNCTION {schema}.{name}(bigint[]) FROM PUBLIC;
"""
TRIGGERS = {
    "only_grows": (
        "CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION {schema}.shop_only_grows({arguments})"
    ),
    "never_truncated": (
        "CREATE TRIGGER never_truncated BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
        " EXECUTE FUNCTION {schema}.shop_only_grows({arguments})"
    ),
}
SET_AGE = f"INSERT INTO {AGES} (name, days) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET days = excluded.days"  # noqa: S608 - our own table
ON_POSTGRESQL = (
    "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled <> 'D'"
)
SQLITE_ACTS: Sequence[str] = ("update", "delete")
ON_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"


def protect(connection: Any, ages: dict[str, timedelta]) -> None:
    """Put the triggers in place that are missing, and write down the ages; part of every `migrate`."""
    there = set(connection.introspection.table_names())
    if AGES not in there:
        return  # migrated back to before there was any of this
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        postgresql = connection.vendor == "postgresql"
        if postgresql:
            cursor.execute("SELECT current_schema()")
            schema = connection.ops.quote_name(cursor.fetchone()[0])
            cursor.execute(FUNCTION.format(schema=schema, ages=AGES))
        for one in PROTECTED:
            if one.table not in there:
                continue
            if postgresql:
                _protect_on_postgresql(cursor, one, schema)
            else:
                _protect_on_sqlite(cursor, one)
        for name, age in ages.items():
            cursor.execute(SET_AGE, [name, age.days])


def missing_triggers() -> list[str]:
    """Return the tables that may be changed at this moment: a trigger of theirs is gone, or switched off."""
    wanted = len(TRIGGERS)
    return [one.table for one in PROTECTED if len(_triggers(default_connection, one.table)) < wanted]


def empty_old_columns(one: Protected, rows: Any) -> int:
    """Empty what retention may empty of these rows of a protected table; return of how many.

    Raises DatabaseError, and changes nothing, when one of them is younger than the age that was set.
    """
    if default_connection.vendor != "postgresql":
        return int(rows.model._base_manager.filter(pk__in=rows).update(**one.emptied))
    with default_connection.cursor() as cursor:
        cursor.execute(f"SELECT {emptying_function(one)}(%s)", [list(rows.values_list("pk", flat=True))])
        return int(cursor.fetchone()[0])


def emptying_function(one: Protected) -> str:
    """Return the name of the function that empties a table's columns."""
    return f"shop_empty_{one.table}"


def _triggers(connection: Any, table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE, [table])
        ours = (*TRIGGERS, *(f"{table}_{name}" for name in SQLITE_ACTS))
        return {name for (name,) in cursor.fetchall() if name in ours}


def _protect_on_postgresql(cursor: Any, one: Protected, schema: str) -> None:
    arguments = [one.words]
    if one.emptied:
        arguments += [json.dumps(one.emptied), one.age]
        assigned = ", ".join(f"{column} = {_literal(value)}" for column, value in one.emptied.items())
        name = emptying_function(one)
        cursor.execute(EMPTYING.format(schema=schema, name=name, table=one.table, assigned=assigned))
    cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s)", [one.table])
    there = {name for (name,) in cursor.fetchall()}
    for name, sql in TRIGGERS.items():
        if name not in there:
            quoted = ", ".join(f"'{argument}'" for argument in arguments)
            cursor.execute(sql.format(table=one.table, schema=schema, arguments=quoted))


def _protect_on_sqlite(cursor: Any, one: Protected) -> None:
    """Write both triggers anew: one that names the columns must know those that a migration has added."""
    cursor.execute(f"PRAGMA table_info({one.table})")
    columns = [row[1] for row in cursor.fetchall()]
    for act in SQLITE_ACTS:
        name = f"{one.table}_{act}"
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        when = f"WHEN NOT ({_allowed_on_sqlite(one, columns)})" if act == "update" and one.emptied else ""
        cursor.execute(
            f"CREATE TRIGGER {name} BEFORE {act.upper()} ON {one.table} {when}"
            f" BEGIN SELECT RAISE(ABORT, '{one.words} are never edited or deleted'); END"
        )


def _allowed_on_sqlite(one: Protected, columns: Sequence[str]) -> str:
    same = [f"NEW.{column} IS OLD.{column}" for column in columns if column not in one.emptied]
    emptied = [f"NEW.{column} IS {_literal(value)}" for column, value in one.emptied.items()]
    age = f"(SELECT days FROM {AGES} WHERE name = '{one.age}')"  # noqa: S608 - our own names
    old = f"OLD.created_at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || {age} || ' days')"
    return " AND ".join([*same, *emptied, f"COALESCE({old}, 0)"])


def _literal(value: Any) -> str:
    """Return a value of `emptied`, which is nobody's input, as SQL."""
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else f"'{json.dumps(value)}'"
