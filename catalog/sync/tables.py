"""The services table, read and written in bulk: COPY on PostgreSQL, prepared statements elsewhere. One interface."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, cast

from django.db import connection

from catalog.models import Category, Service, Subcategory
from catalog.sync.difference import Addition, Change, Names, Place, Stored, UpstreamFields

TABLE = Service._meta.db_table
STAGING = "catalog_sync_staging"
UPDATED = ("missed_syncs", "withdrawn_at", "changed_at", *UpstreamFields._fields)
READ_AT_ONCE = 2000


def stored_services() -> Iterator[Stored]:
    """Yield every service, a few thousand in memory at a time; needs a transaction on PostgreSQL."""
    columns = ("id", "upstream_id", "shown_name", "missed_syncs", "withdrawn_at")
    rows = Service.objects.order_by().values_list(*columns, *UpstreamFields._fields)
    first = len(columns)
    for row in rows.iterator(chunk_size=READ_AT_ONCE):
        yield Stored._make((*row[:first], UpstreamFields._make(row[first:])))


def places(known: Names) -> dict[int, Place]:
    """Return where every known service stands, by upstream id."""
    category_names = {category_id: name for name, category_id in known.categories.items()}
    subcategory_names: dict[int | None, str] = {pk: name for (_id, name), pk in known.subcategories.items()}
    shared: dict[tuple[int, int | None, bool], Place] = {}  # few distinct ones for many services
    found: dict[int, Place] = {}
    rows = Service.objects.order_by().values_list("upstream_id", "category_id", "subcategory_id", "withdrawn_at")
    for upstream_id, category_id, subcategory_id, withdrawn_at in rows.iterator(chunk_size=READ_AT_ONCE):
        key = (category_id, subcategory_id, withdrawn_at is not None)
        if key not in shared:
            shared[key] = Place(category_names[category_id], subcategory_names.get(subcategory_id), key[2])
        found[upstream_id] = shared[key]
    return found


def names() -> Names:
    """Return the categories and subcategories the shop knows."""
    categories = list(Category.objects.values_list("id", "name", "shown_name"))
    subcategories = list(Subcategory.objects.values_list("id", "category_id", "name"))
    return Names(
        categories={name: category_id for category_id, name, _shown in categories},
        subcategories={(category_id, name): pk for pk, category_id, name in subcategories},
        category_words={category_id: f"{name} {shown}".strip() for category_id, name, shown in categories},
        subcategory_words={pk: name for pk, _category_id, name in subcategories},
    )


def insert_services(additions: Iterable[Addition], *, now: datetime) -> None:
    """Insert new services; the admin's columns get the defaults of the model."""
    rest = _admin_columns(now)
    columns = ("upstream_id", *UpstreamFields._fields, *rest)
    defaults = tuple(rest.values())
    rows = ((addition.upstream_id, *addition.fields, *defaults) for addition in additions)
    if connection.vendor == "postgresql":
        _copy(TABLE, columns, rows)
    else:
        marks = ", ".join("%s" for _column in columns)
        _execute_many(f"INSERT INTO {TABLE} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - as below


def update_services(changes: Iterable[Change]) -> None:
    """Write the columns that a sync owns; the admin's columns are not touched."""
    if connection.vendor == "postgresql":
        _update_through_staging((change.id, *change[1:-1], *change.fields) for change in changes)
        return
    assignments = _assignments("%s")
    _execute_many(
        f"UPDATE {TABLE} SET {assignments} WHERE id = %s",  # noqa: S608 - our own column names
        (
            (change.missed_syncs, _moment(change.withdrawn_at), _moment(change.changed_at), *change.fields, change.id)
            for change in changes
        ),
    )


def _update_through_staging(rows: Iterable[tuple[Any, ...]]) -> None:
    columns = ("id", *UPDATED)
    assignments = _assignments(f"{STAGING}.{{column}}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {STAGING} AS SELECT {', '.join(columns)} FROM {TABLE} WITH NO DATA"  # noqa: S608
        )
        _copy(STAGING, columns, rows)
        cursor.execute(
            f"UPDATE {TABLE} SET {assignments} FROM {STAGING} WHERE {TABLE}.id = {STAGING}.id"  # noqa: S608
        )
        cursor.execute(f"DROP TABLE {STAGING}")


def _assignments(source: str) -> str:
    """Return the SET clause; a change without a time of change keeps the one that is there."""
    sources = {column: source.format(column=column) for column in UPDATED}
    sources["changed_at"] = f"COALESCE({sources['changed_at']}, {TABLE}.changed_at)"
    return ", ".join(f"{column} = {value}" for column, value in sources.items())


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
    """Return the columns that a new service does not get from upstream, as the database takes them."""
    blank = Service(first_seen_at=now, changed_at=now)
    ours = {"id", "upstream_id", *UpstreamFields._fields}
    return {
        field.attname: field.get_db_prep_save(getattr(blank, field.attname), connection)
        for field in Service._meta.concrete_fields
        if field.attname not in ours
    }


def _moment(value: datetime | None) -> Any:
    return Service._meta.get_field("withdrawn_at").get_db_prep_save(value, connection)
