"""The services table, read and written in bulk: COPY on PostgreSQL, prepared statements elsewhere. One interface."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from catalog.models import Category, Service, ServiceChange, Subcategory, SyncRun, searched_names
from catalog.models.services import MOVED_TO_ID, UPSTREAM_CATEGORY_ID, UPSTREAM_SUBCATEGORY_ID
from catalog.sync.difference import Addition, Derived, Event, ServiceRecord, ServiceUpdate, UpstreamFields
from catalog.sync.names import Names
from catalog.sync.scan import StoredService
from catalog.titles.reading import TitleColumns

TABLE = Service._meta.db_table
HISTORY = ServiceChange._meta.db_table
STAGING = "catalog_sync_staging"
UPDATED = ("missed_syncs", "withdrawn_at", "changed_at", *UpstreamFields._fields, *Derived._fields)
READ_AT_ONCE = 5000
# Where upstream has a service: staff may have put it elsewhere.
UPSTREAM_PLACE = {
    "category_id": "COALESCE(upstream_category_id, category_id)",
    "subcategory_id": "CASE WHEN upstream_category_id IS NULL THEN subcategory_id ELSE upstream_subcategory_id END",
}


def stored_services() -> Iterator[StoredService]:
    """Yield every service as the scan sees it, a few thousand in memory at a time."""
    names = (UPSTREAM_PLACE.get(name, name) for name in StoredService._fields[:-1])
    columns = ", ".join((*names, "withdrawn_at IS NOT NULL"))
    # Outside of a transaction PostgreSQL copies the whole result aside before the first row leaves. On SQLite one would
    # only keep other writers waiting.
    moment = transaction.atomic() if connection.vendor == "postgresql" else nullcontext()
    with moment, connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {TABLE}")  # noqa: S608 - our own column names
        while rows := cursor.fetchmany(READ_AT_ONCE):
            yield from map(StoredService._make, rows)


def service_records(upstream_ids: Iterable[int], category_ids: Iterable[int]) -> Iterator[ServiceRecord]:
    """Yield the services with these upstream ids and all that upstream has in these categories, with what the admin
    decided."""
    upstream_ids, category_ids = [*upstream_ids], [*category_ids]
    if not upstream_ids and not category_ids:
        return
    columns = ServiceRecord._fields[:-3]
    rows = Service.objects.order_by().filter(
        Q(upstream_id__in=set_of(upstream_ids))
        | Q(category_id__in=set_of(category_ids), upstream_category=None)
        | Q(upstream_category_id__in=set_of(category_ids))
    )
    first = len(columns) + 1
    last = first + len(UpstreamFields._fields)
    place = UPSTREAM_CATEGORY_ID, UPSTREAM_SUBCATEGORY_ID
    wanted: tuple[Any, ...] = (*columns, MOVED_TO_ID, *place, *UpstreamFields._fields[len(place) :], *Derived._fields)
    for row in rows.values_list(*wanted).iterator(chunk_size=READ_AT_ONCE):
        fields, derived = UpstreamFields._make(row[first:last]), Derived._make(row[last:])
        yield ServiceRecord._make((*row[:first], fields, derived))


def set_of(ids: list[int]) -> RawSQL:
    """Return the ids as one parameter, so that there is one statement however many they are."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [ids])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])


def names() -> Names:
    """Return the categories and subcategories the shop knows."""
    categories = list(Category.objects.order_by().select_related("merged_into"))
    subcategories = list(Subcategory.objects.order_by())
    return Names(
        categories={category.name: category.pk for category in categories},
        subcategories={(each.category_id, each.name): each.pk for each in subcategories},
        # A merged category is found by its own names and by those of the one it is shown in.
        category_words={
            category.pk: " ".join(dict.fromkeys(_words(category) + _words(category.merged_into)))
            for category in categories
        },
        subcategory_words={
            each.pk: " ".join([each.name, *searched_names(each.translated_names)]) for each in subcategories
        },
        rate_per={category.pk: category.rate_per or settings.DEFAULT_RATE_PER for category in categories},
    )


def _words(category: Category | None) -> list[str]:
    if category is None:
        return []
    names = searched_names(category.translated_names) + searched_names(category.own_names)
    return [*filter(None, (category.name, category.display_name)), *names]


def insert_services(additions: Iterable[Addition], *, now: datetime) -> None:
    """Insert new services; the admin's columns get the defaults of the model."""
    rest = _admin_columns(now)
    columns = ("upstream_id", *UpstreamFields._fields, *Derived._fields, *rest)
    defaults = tuple(rest.values())
    _insert(
        TABLE,
        columns,
        ((upstream_id, *fields, *_stored(derived), *defaults) for upstream_id, fields, derived in additions),
    )


def insert_history(events: Iterable[Event], run: SyncRun, *, now: datetime) -> None:
    """Write the lines of history that one run makes."""
    columns = ("service_id", "kind", "rate_before_micros", "rate_after_micros", "fields", "run_id", "created_at")
    moment = _moment(now)
    _insert(HISTORY, columns, ((*event[:-1], json.dumps(event.fields or {}), run.pk, moment) for event in events))


def update_services(changes: Iterable[ServiceUpdate]) -> None:
    """Write the columns that a sync owns; the admin's columns are not touched."""
    if connection.vendor == "postgresql":
        place = f"{STAGING}.category_id", f"{STAGING}.subcategory_id"
        assignments = _assignments(f"{STAGING}.{{column}}", name=f"{STAGING}.name", place=place)
        rows = ((*change[:-2], *change.fields, *_stored(change.derived)) for change in changes)
        update_through_staging(("id", *UPDATED), assignments, rows)
        return
    assignments = _assignments("%s", name="%s", place=("%s", "%s"))
    _execute_many(
        f"UPDATE {TABLE} SET {assignments} WHERE id = %s",  # noqa: S608 - our own column names
        (
            (
                *(missed, _moment(withdrawn_at), _moment(changed_at), *fields, *_stored(derived)),
                *(*fields[:2], fields.name, pk),
            )
            for pk, missed, withdrawn_at, changed_at, fields, derived in changes
        ),
    )


def settle_moved() -> list[int]:
    """Let services that staff has put where upstream has them now be like all others; return their upstream ids."""
    settled = Service.objects.filter(upstream_category=F("category"))
    upstream_ids = list(settled.values_list("upstream_id", flat=True))
    if upstream_ids:
        settled.update(subcategory=F("upstream_subcategory"), upstream_category=None, upstream_subcategory=None)
    return upstream_ids


def update_through_staging(columns: tuple[str, ...], assignments: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Update the services with these rows, which begin with the id, in one statement; PostgreSQL alone.

    `assignments` is the SET clause, whose new values are columns of STAGING.
    """
    # One transaction: behind a pool the next one may be on another connection, which has no such table.
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {STAGING} ON COMMIT DROP AS SELECT {', '.join(columns)} FROM {TABLE} WITH NO DATA"  # noqa: S608 - our own names
        )
        _copy(STAGING, columns, rows)
        cursor.execute(
            f"UPDATE {TABLE} SET {assignments} FROM {STAGING} WHERE {TABLE}.id = {STAGING}.id"  # noqa: S608 - our own names
        )
        cursor.execute(f"DROP TABLE {STAGING}")


def _stored(derived: tuple[Any, ...]) -> Iterator[Any]:
    """Yield these values as the database takes them."""
    return (json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value for value in derived)


def write_titles(rows: Sequence[tuple[int, TitleColumns]]) -> None:
    """Write what follows from their titles, of the services with these ids."""
    written = TitleColumns._fields
    if connection.vendor == "postgresql":
        assignments = ", ".join(f"{column} = {STAGING}.{column}" for column in written)
        update_through_staging(("id", *written), assignments, ((pk, *_stored(titles)) for pk, titles in rows))
        return
    assignments = ", ".join(f"{column} = %s" for column in written)
    _execute_many(
        f"UPDATE {TABLE} SET {assignments} WHERE id = %s",  # noqa: S608 - our own column names
        ((*_stored(titles), pk) for pk, titles in rows),
    )


def _assignments(source: str, *, name: str, place: tuple[str, str]) -> str:
    """Return the SET clause; a change without a time of change keeps the one that is there.

    Translated names stay with the name they are of: another `name` empties them. A service that staff has put
    elsewhere stays there; its `place` upstream is kept beside it.
    """
    sources = {column: source.format(column=column) for column in UPDATED}
    moved = f"{TABLE}.upstream_category_id IS NOT NULL"
    for column, upstream in zip(("category_id", "subcategory_id"), place, strict=True):
        sources[column] = f"CASE WHEN {moved} THEN {TABLE}.{column} ELSE {sources[column]} END"
        sources[f"upstream_{column}"] = f"CASE WHEN {moved} THEN {upstream} END"
    sources["changed_at"] = f"COALESCE({sources['changed_at']}, {TABLE}.changed_at)"
    kept = f"{TABLE}.translated_names"
    sources["translated_names"] = f"CASE WHEN {TABLE}.name = {name} THEN {kept} ELSE '{{}}' END"
    return ", ".join(f"{column} = {value}" for column, value in sources.items())


def _insert(table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    if connection.vendor == "postgresql":
        _copy(table, columns, rows)
    else:
        marks = ", ".join("%s" for _column in columns)
        _execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - as above


def _copy(table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _execute_many(sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        # The driver takes any iterable and one row at a time; only Django's annotation asks for a sequence.
        cursor.executemany(sql, cast(Any, rows))


def _admin_columns(now: datetime) -> dict[str, Any]:
    """Return the columns that a new service does not get from upstream, as the database takes them.

    Those that the database fills in itself are left to it.
    """
    blank = Service(first_seen_at=now, changed_at=now)
    ours = {"id", "upstream_id", *UpstreamFields._fields, *Derived._fields}
    return {
        field.attname: field.get_db_prep_save(getattr(blank, field.attname), connection)
        for field in Service._meta.concrete_fields
        if field.attname not in ours and not field.has_db_default()
    }


def _moment(value: datetime | None) -> Any:
    return Service._meta.get_field("withdrawn_at").get_db_prep_save(value, connection)
