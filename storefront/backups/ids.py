"""No number that was given out before a loss is given to something else after it.

A restored database goes on counting where the backup stopped, so the next order would get the number that was promised
for a lost one, and `status` would answer about the wrong order. Which numbers were given out since, nobody knows any
more, so every table's numbers jump: by a million, and by a hundred for each second since the backup. No shop gives out
more than a hundred a second for long, and of 64 bits it costs nothing. Since the jump grows with time, numbers that
were given out after a first restore are left out, too, when the same backup is restored once more.
"""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from storefront.postgresql.roles import migrating_role

JUMP, JUMP_A_SECOND = 1_000_000, 100
INSUFFICIENT_PRIVILEGE = "42501"  # as PostgreSQL's documentation calls it, appendix A
SMALL = 2**31 - 1  # numbers of few rows that no customer is ever told: they jump by a million alone

# Of a table whose numbers were never used `last` is NULL: it begins beyond the jump all the same.
SEQUENCES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(s.relname), t.relname, q.seqmax, pg_sequence_last_value(s.oid)
FROM pg_sequence q
JOIN pg_class s ON s.oid = q.seqrelid
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_class t ON t.oid = d.refobjid
WHERE n.nspname = current_schema()
ORDER BY t.relname
"""


class NoRoomToJump(Exception):
    """A table's numbers have no room for the jump; the text says which."""


class MayNotSkip(Exception):
    """The role in use may not change where tables go on counting; the text says which may."""


def jump_since(known_until: datetime | None, now: datetime) -> int:
    """Return how many numbers may have been given out since a backup was taken."""
    seconds = max((now - known_until).total_seconds(), 0) if known_until else 0
    return JUMP + int(seconds * JUMP_A_SECOND)


def skip_ids(jump: int = JUMP) -> dict[str, int]:
    """Let every table's next number be beyond the last one by more than `jump`; return the new last numbers by table.

    Twice is no harm. Raises NoRoomToJump and MayNotSkip before anything is changed.
    """
    try:
        with migrating_role(connection), transaction.atomic(), connection.cursor() as cursor:
            return _on_postgresql(cursor, jump) if connection.vendor == "postgresql" else _on_sqlite(cursor, jump)
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", "") != INSUFFICIENT_PRIVILEGE:
            raise
        raise MayNotSkip(
            "Only the owner of the tables may skip numbers: set MIGRATION_DATABASE_URL, as for migrate. Nothing has "
            "been changed; start no worker before this has run."
        ) from error


def _on_postgresql(cursor: Any, jump: int) -> dict[str, int]:
    cursor.execute(SEQUENCES)
    found = cursor.fetchall()
    jumped = {}
    for _sequence, table, highest, last in found:
        jumped[table] = (last or 0) + (min(jump, JUMP) if highest <= SMALL else jump)
        if jumped[table] > highest:
            raise NoRoomToJump(f"{table}: {jumped[table]} is more than its numbers go to, {highest}.")
    for sequence, table, _highest, _last in found:
        cursor.execute("SELECT setval(%s::regclass, %s)", [sequence, jumped[table]])
    return jumped


def _on_sqlite(cursor: Any, jump: int) -> dict[str, int]:
    cursor.execute("SELECT name, seq FROM sqlite_sequence")
    known = dict(cursor.fetchall())
    jumped = {model._meta.db_table: jump for model in apps.get_models(include_auto_created=True)}
    jumped = {table: known.get(table, 0) + jump for table in jumped if _counts(cursor, table)}
    for table, last in jumped.items():
        if table in known:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last, table])
        else:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
    return jumped


def _counts(cursor: Any, table: str) -> bool:
    """Whether SQLite remembers this table's last number, as it does for keys that Django numbers."""
    cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table])
    row = cursor.fetchone()
    return row is not None and "AUTOINCREMENT" in (row[0] or "").upper()
