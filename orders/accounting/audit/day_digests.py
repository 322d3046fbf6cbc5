"""A digest of each day's ledger rows, receipts and order events, kept in the trail: who tampers later is seen.

No row is chained to another, so that no purchase waits for one. Instead a day is digested the night after, over the
columns that retention never touches, and the digest becomes an entry of the trail, whose entries are chained. A day's
rows are a span of ids, not of moments: a row cannot leave it by another date.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Model

from accounts.append_only import PROTECTED, WORDS
from accounts.models import TrailEntry
from accounts.trail import Action, record
from accounts.trail.record import wait_for_my_turn
from orders.models import OrderEvent
from wallet.models import LedgerEntry, Receipt

TABLES: tuple[type[Model], ...] = (LedgerEntry, OrderEvent, Receipt)
RETENTION_TOUCHES = {one.table: set(one.emptied) for one in PROTECTED}
# A transaction that began on a day has ended by then, whatever time it was given.
SETTLED_AFTER = timedelta(hours=2)
ROWS_AT_ONCE = 50_000
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The rows of a table above one id and up to another."""

    after: int
    up_to: int


def write_day_digests(*, now: datetime) -> int:
    """Add the digests of all days that are over and have none yet to the trail; return of how many."""
    written = 0
    last = TrailEntry.objects.filter(action=Action.DIGEST).first()
    day = _first_day() if last is None else date.fromisoformat(last.after["day"]) + DAY
    ends: dict[str, int] = {} if last is None else {name: row["up_to"] for name, row in last.after["tables"].items()}
    while day is not None and day + DAY <= (now - SETTLED_AFTER).astimezone(UTC).date():
        tables: dict[str, dict[str, Any]] = {}
        for model in TABLES:
            table = model._meta.db_table
            span = _span(model, ends.get(table, 0), day)
            columns = _columns(model)
            rows, digest = digest_of(model, span, columns)
            ends[table] = span.up_to
            counted = {"after": span.after, "up_to": span.up_to, "rows": rows}
            tables[table] = counted | {"sha256": digest, "columns": columns}
        with transaction.atomic():
            wait_for_my_turn()
            newest = TrailEntry.objects.filter(action=Action.DIGEST).first()
            if newest != last:
                return written  # another audit is at work
            last = record(Action.DIGEST, actor=None, after={"day": day.isoformat(), "tables": tables}, now=now)
        written += 1
        day += DAY
    return written


def broken_days(*, since: datetime | None = None) -> Iterator[str]:
    """Yield what is wrong with the days whose digests were written from `since` on, or with all of them."""
    digests = TrailEntry.objects.filter(action=Action.DIGEST).order_by("number")
    if since is not None:
        digests = digests.filter(created_at__gte=since)
    before: dict[str, Any] | None = None
    for entry in digests.iterator(chunk_size=100):
        said = entry.after
        if before is not None and date.fromisoformat(said["day"]) != date.fromisoformat(before["day"]) + DAY:
            yield f"trail: no digest between {before['day']} and {said['day']}"
        for model in TABLES:
            yield from _compared(model, said["day"], said["tables"].get(model._meta.db_table))
        before = said


def digest_of(model: type[Model], span: Span, columns: list[str]) -> tuple[int, str]:
    """Return how many rows there are in a span and the SHA-256 over these columns of them, some rows at a time.

    PostgreSQL digests its rows itself and hands out a hash for every ROWS_AT_ONCE. SQLite's rows are digested here, in
    a way of their own: a database does not change its make.
    """
    whole, rows, at = hashlib.sha256(), 0, span.after
    digest = _on_postgresql if connection.vendor == "postgresql" else _elsewhere
    while at < span.up_to:
        last, count, part = digest(model, Span(at, span.up_to), columns)
        if not count:
            break
        whole.update(part.encode())
        rows, at = rows + count, last
    return rows, whole.hexdigest()


def _compared(model: type[Model], day: str, said: dict[str, Any] | None) -> Iterator[str]:
    words = WORDS[model._meta.db_table]
    # The columns are those of that night; only names of ours are put into a statement.
    if said is None or not set(said["columns"]) <= {field.column for field in model._meta.concrete_fields}:
        yield f"{words} of {day}: the digest says nothing that can be compared"
        return
    rows, digest = digest_of(model, Span(said["after"], said["up_to"]), said["columns"])
    if rows != said["rows"]:
        yield f"{words} of {day}: {rows} rows, but there were {said['rows']} the night after"
    elif digest != said["sha256"]:
        yield f"{words} of {day}: not what they were the night after"


def _columns(model: type[Model]) -> list[str]:
    touched = RETENTION_TOUCHES[model._meta.db_table]
    return [str(field.column) for field in model._meta.concrete_fields if field.column not in touched]


def _first_day() -> date | None:
    moments = [model._default_manager.order_by("pk").values_list("created_at", flat=True).first() for model in TABLES]
    days = [moment.astimezone(UTC).date() for moment in moments if moment is not None]
    return min(days) if days else None


def _span(model: type[Model], after: int, day: date) -> Span:
    """Return the rows that follow `after` up to the first that was written on a later day."""
    rows = model._default_manager.filter(pk__gt=after)
    begin_of_next = datetime.combine(day + DAY, time(), UTC)
    later = rows.filter(created_at__gte=begin_of_next).order_by("pk").values_list("pk", flat=True).first()
    if later is not None:
        rows = rows.filter(pk__lt=later)
    return Span(after, rows.aggregate(last=Max("pk"))["last"] or after)


def _on_postgresql(model: type[Model], span: Span, columns: list[str]) -> tuple[int, int, str]:
    values = ", ".join(_as_text(model, column) for column in columns)
    sql = f"""
        SELECT max(id), count(*), encode(sha256(string_agg(one, ''::bytea ORDER BY id)), 'hex') FROM (
            SELECT id, sha256(convert_to(jsonb_build_array({values})::text, 'UTF8')) AS one
            FROM {model._meta.db_table} WHERE id > %s AND id <= %s ORDER BY id LIMIT {ROWS_AT_ONCE}
        ) AS part"""  # noqa: S608 - names of our own columns and tables
    with connection.cursor() as cursor:
        cursor.execute(sql, [span.after, span.up_to])
        last, count, digest = cursor.fetchone()
    return last or span.up_to, count, digest or ""


def _as_text(model: type[Model], column: str) -> str:
    """Return a column as SQL that no setting of a session changes."""
    kinds = {field.column: field.get_internal_type() for field in model._meta.concrete_fields}
    quoted = connection.ops.quote_name(column)
    if kinds[column] == "DateTimeField":
        return f"(extract(epoch FROM {quoted}) * 1000000)::bigint"
    return f"{quoted}::text" if kinds[column] == "DecimalField" else quoted


def _elsewhere(model: type[Model], span: Span, columns: list[str]) -> tuple[int, int, str]:
    attributes = {field.column: field.attname for field in model._meta.concrete_fields}
    rows = model._default_manager.filter(pk__gt=span.after, pk__lte=span.up_to).order_by("pk")
    digest, count, last = hashlib.sha256(), 0, span.up_to
    for pk, *values in rows.values_list("pk", *(attributes[column] for column in columns))[:ROWS_AT_ONCE]:
        digest.update(hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).digest())
        count, last = count + 1, pk
    return last, count, digest.hexdigest()
