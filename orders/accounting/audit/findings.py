"""What an audit finds, and how it asks: one statement for everything that is compared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import QuerySet, Sum

from upstream.money import text_from_micros

SHOWN_PROBLEMS = 50  # of one sort: beyond that it is the same one over and over


@dataclass
class AuditFindings:
    """What the audit found: `figures` to print, `problems` that must not be.

    `unread` is the one of the problems that is nobody's fault here: upstream's balance could not be read.
    """

    figures: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: str = ""

    def add(self, name: str, micros: int, currency: str) -> None:
        """Add an amount of money to the figures."""
        self.figures.append((name, f"{text_from_micros(micros)} {currency}"))

    @property
    def wrong(self) -> list[str]:
        """The problems of our own: those that are there whether or not upstream can be asked."""
        return [problem for problem in self.problems if problem != self.unread]


def applied_at(app: str, migration: str) -> datetime | None:
    """Return when this database was given a migration, and the rules that came with it; None where nobody noted it."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return None
    return recorder.migration_qs.filter(app=app, name=migration).values_list("applied", flat=True).first()


def total(rows: QuerySet[Any], column: str) -> int:
    """Return the sum of a column, 0 for no rows."""
    return rows.aggregate(total=Sum(column))["total"] or 0


def rows_of(sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the first rows that a comparison finds, sums as whole numbers (PostgreSQL adds up to a decimal)."""
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT {SHOWN_PROBLEMS}", values)
        for row in cursor.fetchall():
            yield tuple(value if isinstance(value, str) or value is None else int(value) for value in row)


def names(prefix: str) -> str:
    """Return the SQL of whether a ledger row's reference begins with `prefix`."""
    return f"substr(entry.reference, 1, {len(prefix)}) = '{prefix}'"


def word_after(prefix: str) -> str:
    """Return the SQL of what a ledger row's reference has after `prefix`, up to the next colon.

    It is compared as text: to read a number out of every row, and to make sure that it is one, takes many times longer.
    """
    if connection.vendor == "postgresql":
        return f"split_part(entry.reference, ':', {prefix.count(':') + 1})"
    rest = f"substr(entry.reference, {len(prefix) + 1})"
    return f"substr({rest}, 1, instr({rest} || ':', ':') - 1)"
