"""Emptying the database quickly between tests that commit.

Django's flush truncates every table and then has `migrate`'s signal write all content types and permissions again:
a quarter of a second each time, and hundreds of tests commit. Then it closes the connection.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import flush
from django.db import connection, connections, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from catalog.migrations._synonyms import SYNONYMS

# Written by `migrate` and changed by no test.
LASTING = {"django_content_type", "auth_permission", "accounts_retentionage", "support_firstanswerrule"}
# Written by `migrate` too, and put back as it was where a test has changed it.
RESTORED = "catalog_searchsynonym"
# The documents a shop begins with, whose footer is on every page, and the roles: they stay where no test changed them.
WRITTEN = ("support_document", "support_documentversion", "auth_group", "auth_group_permissions")
_written: list[Any] | None = None


def empty_quickly() -> None:
    """From now on a flush deletes the rows of those tables that have any, and keeps what `migrate` wrote."""
    flush.sql_flush = _deletes
    flush.emit_post_migrate_signal = _write
    TransactionTestCase._should_reload_connections = _only_broken_ones  # type: ignore[method-assign]  # meant


def _only_broken_ones(_test_case: TransactionTestCase) -> bool:
    """Keep the connection for the next test: a new one would first have to learn of a hundred tables again."""
    for one in connections.all(initialized_only=True):
        one.close_if_unusable_or_obsolete()
    return False


def _deletes(style: Any, _connection: Any, **_options: Any) -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True)
    names = [name for name in tables if name not in LASTING and name != RESTORED]
    if _written is not None and _written == _written_now():
        names = [name for name in names if name not in WRITTEN]
    deletes = [f"DELETE FROM {connection.ops.quote_name(name)}" for name in _with_rows(names)]  # noqa: S608 - our own tables' names
    deletes += _restoring() if RESTORED in tables else []
    if not deletes:
        return deletes
    if connection.vendor == "sqlite":
        drops, creations = _triggers()
        return [*drops, *deletes, *creations]
    # Triggers and foreign keys look away: the order of the tables is nobody's business.
    return [
        "SET LOCAL session_replication_role = replica",
        *deletes,
        "SET LOCAL session_replication_role = origin",
    ]


def _write(*_arguments: Any, **_options: Any) -> None:
    """Write what a shop begins with of all that `migrate`'s signal writes, unless all of it has stayed."""
    from storefront.roles import keep_the_roles
    from support.documents.publish import fill_in_missing

    global _written
    if _written_now() != _written:
        fill_in_missing(now=timezone.now())
        keep_the_roles()
        _written = _written_now()


def _written_now() -> list[Any]:
    found = []
    with connection.cursor() as cursor:
        for table in WRITTEN:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 - our own tables' names
            found.append(cursor.fetchall())
    return found


def _with_rows(names: Sequence[str]) -> list[str]:
    looks = [
        f"SELECT {position} WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})"  # noqa: S608 - our own tables' names
        for position, name in enumerate(names)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        return [names[position] for (position,) in cursor.fetchall()]


def _restoring() -> list[str]:
    """Return what brings the synonyms back to those the shop begins with; nothing where they are as they were."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT typed, finds FROM {RESTORED}")  # noqa: S608 - our own table's name
        if sorted(cursor.fetchall()) == sorted(SYNONYMS.items()):
            return []
    rows = ", ".join(
        "('{}', '{}', CURRENT_TIMESTAMP)".format(*(text.replace("'", "''") for text in pair))
        for pair in SYNONYMS.items()
    )
    return [f"DELETE FROM {RESTORED}", f"INSERT INTO {RESTORED} (typed, finds, created_at) VALUES {rows}"]  # noqa: S608 - our own texts


@contextmanager
def tampering() -> Iterator[None]:
    """Change what only grows, as somebody might who owns the whole database: its triggers look away meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            drops, creations = _triggers()
            for drop in drops:
                cursor.execute(drop)
            yield
            for creation in creations:
                cursor.execute(creation)
        else:
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")


def _triggers() -> tuple[list[str], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = cursor.fetchall()
    return [f"DROP TRIGGER {connection.ops.quote_name(name)}" for name, _sql in found], [sql for _name, sql in found]
