"""Keeping the selling rates that lists sort and filter by: computed in one pass, written in a few statements.

They say what a visitor without a group pays. What a page shows and what is charged comes from the price book, so a rate
that has not been computed yet (0) is never a price.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet

from catalog.models import Category, PriceList, Service
from catalog.pricing.book import PriceBook, open_book
from catalog.pricing.rules import read_rules
from catalog.pricing.version import basis_now, basis_of
from notifications.wake_worker import wake_worker
from preferences.stored import forget

log = structlog.get_logger(__name__)
TABLE = Service._meta.db_table
STAGING = "catalog_repricing_staging"
READ_AT_ONCE = 2000
WHILE_SOMEBODY_WAITS = 10_000  # rows: about a second; a hundred thousand take several


@dataclass(frozen=True)
class Repriced:
    """What a repricing did: how many stored rates it changed, the price version then, whether a worker goes on."""

    changed: int
    version: int
    postponed: bool = False


class Priced(NamedTuple):
    """The new stored rates of one service."""

    id: int
    selling_rate_micros: int
    selling_per_thousand_micros: int


def lock_prices() -> PriceList:
    """Let nobody else reprice until this transaction ends; then read the rules, and only then the services.

    Whoever writes many selling rates, or a single service whose rates it will recompute, takes this lock first.
    Raises TransactionManagementError outside a transaction.
    """
    row, _created = PriceList.objects.select_for_update().get_or_create(pk=1)
    return row


def advance_price_version() -> int:
    """Count the price version up, for who changed stored rates by other means; return the new one. Needs the lock."""
    PriceList.objects.filter(pk=1).update(version=F("version") + 1)
    return PriceList.objects.values_list("version", flat=True).get(pk=1)


def reprice_services(
    *, now: datetime, services: QuerySet[Service] | None = None, at_most: int | None = None
) -> Repriced:
    """Bring the stored rates of all services, or of some, to what the rules, settings and own prices say now.

    One transaction; only rows that differ are written. The price version grows if a rate, a rule or a setting changed.
    With `at_most`, for a page that somebody waits for, more rows than that are left to a worker; the version has
    grown all the same, and beat finds what a lost message leaves.
    """
    with transaction.atomic():
        price_list = lock_prices()
        rules = read_rules()
        book = open_book(rules, now=now)
        rows = _outdated(Service.objects.all() if services is None else services, book)
        postponed = at_most is not None and len(rows) > at_most
        basis = price_list.basis
        if postponed:
            basis = ""
            wake_worker("catalog.tasks.reprice_services")
        else:
            _write(rows)
            if services is None:
                basis = basis_of(rules, now=now, exchange_rate_micros=book.exchange_rate_micros)
                price_list.priced_at, price_list.changed = now, len(rows)
        if rows or basis != price_list.basis:
            price_list.version += 1
        price_list.basis = basis
        price_list.save(update_fields=["version", "basis", "priced_at", "changed"])
    return Repriced(0 if postponed else len(rows), price_list.version, postponed)


def reprice_if_due(*, now: datetime) -> Repriced | None:
    """Reprice if a rule began, ended or changed, or a setting did, since the last time; else None after two reads."""
    forget()  # whoever changed a setting has just woken us
    known = PriceList.objects.values_list("basis", flat=True).first()
    return None if known == basis_now(now) else reprice_services(now=now)


def rate_units() -> Callable[[int, int | None], int]:
    """Return a function from where upstream has a service, and its own unit, to how many pieces its rate buys."""
    default: int = settings.DEFAULT_RATE_PER
    units = {pk: unit or default for pk, unit in Category.objects.values_list("pk", "rate_per")}
    return lambda home_category_id, rate_per_override: rate_per_override or units[home_category_id]


def _outdated(services: QuerySet[Service], book: PriceBook) -> list[Priced]:
    rate_per = rate_units()
    rows = services.order_by().values_list(
        "id",
        "rate_upstream_micros",
        "rate_per_override",
        "category_id",
        "subcategory_id",
        "upstream_category_id",
        "rate_override_micros",
        "markup_percent",
        "selling_rate_micros",
        "selling_per_thousand_micros",
    )
    found = []
    for pk, rate, rate_per_override, category_id, subcategory_id, home_id, *rest in rows.iterator(
        chunk_size=READ_AT_ONCE
    ):
        rate_override, own_percent, *stored = cast(Any, rest)
        rates = book.stored_rates(
            rate_upstream_micros=rate,
            rate_per=rate_per(home_id or category_id, rate_per_override),
            category_id=category_id,
            subcategory_id=subcategory_id,
            service_id=pk,
            own_percent=own_percent,
            rate_override_micros=rate_override,
        )
        if rates != tuple(stored):
            found.append(Priced(pk, *rates))
    return found


def _write(rows: list[Priced]) -> None:
    if not rows:
        return
    if connection.vendor == "postgresql":
        _write_through_staging(rows)
    else:
        sql = f"UPDATE {TABLE} SET selling_rate_micros = %s, selling_per_thousand_micros = %s WHERE id = %s"  # noqa: S608
        with connection.cursor() as cursor:
            # The driver takes any iterable; only Django's annotation asks for a sequence.
            cursor.executemany(sql, cast(Any, ((row[1], row[2], row[0]) for row in rows)))


def _write_through_staging(rows: Iterable[Priced]) -> None:
    columns = ", ".join(Priced._fields)
    with connection.cursor() as cursor:
        # Table and column names are our own.
        cursor.execute(f"CREATE TEMPORARY TABLE {STAGING} ON COMMIT DROP AS SELECT {columns} FROM {TABLE} WITH NO DATA")  # noqa: S608
        with cursor.copy(f"COPY {STAGING} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"UPDATE {TABLE} SET selling_rate_micros = {STAGING}.selling_rate_micros,"  # noqa: S608
            f" selling_per_thousand_micros = {STAGING}.selling_per_thousand_micros"
            f" FROM {STAGING} WHERE {TABLE}.id = {STAGING}.id"
        )
        cursor.execute(f"DROP TABLE {STAGING}")
