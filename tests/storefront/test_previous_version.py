"""Code of the release before works on these tables: beside ours during a deploy, and alone after a way back.

What it reads and writes is in tests/provision/previous_version.json, so no history of the repository is needed.
"""

import json
import re

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper

from tests.provision.previous_version import FILE

pytestmark = [pytest.mark.django_db, pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")]
PREVIOUS = json.loads(FILE.read_text())["columns"]
# Types that take whatever the earlier one held, and that old code reads as it did the earlier one.
WIDER = {("integer", "bigint"), ("smallint", "integer"), ("smallint", "bigint")}


def test_tables_when_code_of_the_previous_version_uses_them_then_its_columns_are_there_and_no_other_is_missed() -> None:
    now, may_be_left_out = tables_now()

    problems = [f"{table} is gone" for table in PREVIOUS if table not in now]
    for table, columns in PREVIOUS.items():
        there = now.get(table, {})
        problems += [f"{table}.{name} is gone" for name in columns if name not in there]
        problems += [
            f"{table}.{name} is {there[name]}, and was {kind}"
            for name, kind in columns.items()
            if name in there and not fits(before=kind, now=there[name])
        ]
        problems += [
            f"{table}.{name} is new, and must be given"
            for name in there
            if name not in columns and (table, name) not in may_be_left_out
        ]

    assert problems == []


def test_statements_when_the_previous_version_writes_and_reads_whole_rows_then_postgresql_takes_them() -> None:
    with connection.cursor() as cursor:
        for table, columns in PREVIOUS.items():
            names = ", ".join(map(connection.ops.quote_name, columns))
            moves = ", ".join(f"{name} = {name}" for name in map(connection.ops.quote_name, columns))
            for statement in (
                f"EXPLAIN INSERT INTO {table} ({names}) SELECT {names} FROM {table}",  # noqa: S608 - names of ours
                f"EXPLAIN UPDATE {table} SET {moves}",  # noqa: S608
            ):
                cursor.execute(statement)


def tables_now() -> tuple[dict[str, dict[str, str]], set[tuple[str, str]]]:
    """Return the type of every column there is, and the columns that a statement need not name."""
    with connection.cursor() as cursor:
        rows = ask(cursor)
    now: dict[str, dict[str, str]] = {}
    for table, name, _may, kind in rows:
        now.setdefault(table, {})[name] = kind
    return now, {(table, name) for table, name, may, _kind in rows if may}


def ask(cursor: CursorWrapper) -> list[tuple[str, str, bool, str]]:
    cursor.execute(
        "SELECT c.relname, a.attname, NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '', "
        "format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') "
        "AND a.attnum > 0 AND NOT a.attisdropped"
    )
    return cursor.fetchall()


def fits(*, before: str, now: str) -> bool:
    """Whether a column that was of one type can be written and read by the same code with another one."""
    before, now = before.replace(", ", ","), now.replace("character varying", "varchar")
    if now == before or (before, now) in WIDER or (before.startswith("varchar") and now == "text"):
        return True
    was, length = (re.fullmatch(r"varchar\((\d+)\)", kind) for kind in (before, now))
    return bool(was and length and int(was[1]) <= int(length[1]))
