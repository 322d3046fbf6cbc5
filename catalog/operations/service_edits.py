"""Editing many services at once: what each becomes, and writing it with everything that follows from it.

Only what is the shop's own is edited: what comes from upstream would be overwritten by the next sync.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from catalog.models import Category, Service, ServiceQuerySet
from catalog.operations.overrides import refresh_search_text
from catalog.operations.places import Place, put_into
from catalog.pricing.repricing import lock_prices, reprice_services
from catalog.sync.import_rules import import_rules
from upstream.money import MICROS
from upstream.reading.text import line

READ_AT_ONCE = 2000
WRITTEN_AT_ONCE = 250
MARK_DIGITS = 12  # of a job there may be a hundred thousand
LONGEST_NAME = 500
PRICE_CLEAR, PRICE_MARKUP, PRICE_PERCENT, PRICE_AMOUNT = "clear", "markup", "percent", "amount"
WARRANTY_CLEAR, WARRANTY_SET = "clear", "set"
PLACE_PUT, PLACE_BACK = "put", "back"
CENT = Decimal("0.01")
PRICED_BY = {"rate_override_micros", "markup_percent", "category_id", "subcategory_id"}


class NotEditable(Exception):
    """A service can't become what was asked for; the text says why, for staff."""


class Values(NamedTuple):
    """The columns of a service that are edited here.

    `left_out` goes with `visible`: what staff shows or hides is no longer what a rule has hidden. The four of `Place`
    say where it stands. `markup_percent` is a text, as JSON keeps it.
    """

    visible: bool
    left_out: bool
    display_name: str
    short_title_override: str
    category_id: int
    subcategory_id: int | None
    upstream_category_id: int | None
    upstream_subcategory_id: int | None
    delivery_override: str
    warranty_days: int | None
    rate_override_micros: int | None
    markup_percent: str | None
    paused_because: str

    @property
    def place(self) -> Place:
        return Place(*(getattr(self, name) for name in Place._fields))

    @property
    def own_percent(self) -> Decimal | None:
        """The service's own markup, as the price book takes it."""
        return None if self.markup_percent is None else Decimal(self.markup_percent)


class Row(NamedTuple):
    """A service as an edit sees it; `ruled_out` is what import rules say of it now, whoever has hidden it."""

    id: int
    upstream_id: int
    name: str
    type: str
    rate_upstream_micros: int
    values: Values
    ruled_out: bool


@dataclass(frozen=True)
class Edit:
    """What to change; everything empty changes nothing. `delivery` None keeps it, "" is that of the category.

    `percent` is added to what a service costs, once or, as its own markup, every day; `amount_micros` is its price in
    the shop's currency, for as many pieces as its rate buys. `find` in the name becomes `replacement`.
    """

    visible: bool | None = None
    price: str = ""
    percent: str = ""
    amount_micros: int | None = None
    find: str = ""
    replacement: str = ""
    delivery: str | None = None
    warranty: str = ""
    warranty_days: int | None = None
    place: str = ""
    category_id: int | None = None

    @property
    def params(self) -> dict[str, Any]:
        """What JSON keeps of it; `Edit(**params)` is the same edit."""
        return asdict(self)

    def of(self, row: Row, *, exchange_rate_micros: int) -> Values:
        """Return what a service becomes. Raises NotEditable."""
        now = self._put(row.values)
        values = now._replace(
            visible=now.visible if self.visible is None else self.visible,
            left_out=now.left_out if self.visible is None else False,
            display_name=self._name(row) if self.find else now.display_name,
            delivery_override=now.delivery_override if self.delivery is None else self.delivery,
            warranty_days=self._warranty(now),
            rate_override_micros=self._price(row, exchange_rate_micros),
            markup_percent=self._markup(now),
        )
        if why := why_not(row, values, exchange_rate_micros=exchange_rate_micros):
            raise NotEditable(why)
        return values

    def _put(self, now: Values) -> Values:
        if not self.place:
            return now
        return now._replace(**put_into(now.place, self.category_id if self.place == PLACE_PUT else None)._asdict())

    def _markup(self, now: Values) -> str | None:
        if self.price == PRICE_MARKUP:
            return str(Decimal(self.percent).quantize(CENT))
        return None if self.price else now.markup_percent

    def _name(self, row: Row) -> str:
        """Return the shop's own name with the words replaced; none where upstream's name comes out."""
        title = row.values.display_name or row.name
        words = re.compile(re.escape(self.find), re.IGNORECASE)
        if not words.search(title):
            return row.values.display_name
        name = line(words.sub(lambda _found: self.replacement, title))
        if not name:
            raise NotEditable(_("Nothing would be left of its name."))
        if len(name) > LONGEST_NAME:
            raise NotEditable(_("Its name would be longer than %(longest)d characters.") % {"longest": LONGEST_NAME})
        return "" if name == row.name else name

    def _warranty(self, now: Values) -> int | None:
        if self.warranty == WARRANTY_SET:
            return self.warranty_days
        return None if self.warranty == WARRANTY_CLEAR else now.warranty_days

    def _price(self, row: Row, exchange_rate_micros: int) -> int | None:
        cost = cost_of(row, exchange_rate_micros=exchange_rate_micros)
        if self.price in (PRICE_CLEAR, PRICE_MARKUP):
            return None
        if self.price == PRICE_PERCENT:
            return _marked_up(cost, Decimal(self.percent))
        if self.price != PRICE_AMOUNT or self.amount_micros is None:
            return row.values.rate_override_micros
        return self.amount_micros


class Written(NamedTuple):
    """What an edit did to one service: the columns that became others."""

    id: int
    before: dict[str, Any]
    after: dict[str, Any]


def differing(before: Values, after: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values that differ, as they were and as they become."""
    names = [name for name, old, new in zip(Values._fields, before, after, strict=True) if old != new]
    return {name: getattr(before, name) for name in names}, {name: getattr(after, name) for name in names}


def mark_of(row: Row, after: Values) -> str:
    """Return what stands for a change of one service: another one for every other service, value before or after."""
    return hashlib.sha256(repr((row.id, differing(row.values, after))).encode()).hexdigest()[:MARK_DIGITS]


def edit_rows(services: ServiceQuerySet) -> Iterator[Row]:
    """Yield services as an edit sees them, in the order of their ids."""
    columns = (*Row._fields[:-2], *Values._fields)
    first = len(Row._fields) - 2
    rules = import_rules()
    names = dict(Category.objects.values_list("pk", "name")) if rules else {}
    for found in services.order_by("pk").values_list(*columns).iterator(chunk_size=READ_AT_ONCE):
        values = Values._make(found[first:])
        if values.markup_percent is not None:
            values = values._replace(markup_percent=str(values.markup_percent))
        row = Row._make((*found[:first], values, False))
        if rules and rules.leave_out(names[values.place.home[0]], row.type, row.name):
            row = row._replace(ruled_out=True)
        yield row


def write_values(changes: Mapping[int, Values], rows: Iterable[Row], *, now: datetime) -> list[Written]:
    """Give these services the values, and bring their searched text and their stored prices to it; return the changes.

    Part of the caller's transaction, which holds `lock_prices` since before the rows were read.
    """
    written = []
    alike: dict[tuple[str, ...], list[Service]] = {}  # services by the columns that change: no others are written
    for row in rows:
        before, after = differing(row.values, changes[row.id])
        if after:
            written.append(Written(row.id, before, after))
            alike.setdefault(tuple(after), []).append(Service(pk=row.id, **after))
    if not written:
        return []
    for changed, services in alike.items():
        Service.objects.bulk_update(services, changed, batch_size=WRITTEN_AT_ONCE)
    columns = {name for changed in alike for name in changed}
    touched = Service.objects.filter(pk__in=[each.id for each in written])
    if columns & {"display_name", "short_title_override", "category_id"}:
        refresh_search_text(touched)
    if columns & PRICED_BY:
        reprice_services(now=now, services=touched)
    return written


def locked_rows(ids: Iterable[int]) -> list[Row]:
    """Return these services for an edit in this transaction: nobody else writes them until it ends."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("services are edited inside a transaction")
    lock_prices()
    services = Service.objects.filter(pk__in=[*ids])
    # Before they are read, and always in the same order. Orders of them can be placed meanwhile.
    list(services.order_by("pk").select_for_update(of=("self",), no_key=True).only("pk"))
    return list(edit_rows(services))


def why_not(row: Row, values: Values, *, exchange_rate_micros: int) -> str:
    """Return why a service can't have these values; nothing where it can. A price it has already is not asked about."""
    if values.visible and not row.values.visible and row.ruled_out:
        return _("An import rule leaves this service out. Change the rule first.")
    price, cost = values.rate_override_micros, cost_of(row, exchange_rate_micros=exchange_rate_micros)
    if price is not None and price != row.values.rate_override_micros and price < cost:
        return _("It would be sold at a loss: it costs %(cost)s.") % {"cost": money(cost)}
    return ""


def cost_of(row: Row, *, exchange_rate_micros: int) -> int:
    """Return what a service costs the shop, in store micros rounded up, for as many pieces as its rate buys."""
    return -(-row.rate_upstream_micros * exchange_rate_micros // MICROS)


def _marked_up(cost: int, percent: Decimal) -> int:
    scaled = int(percent * 100)
    return -(-cost * (10_000 + scaled) // 10_000)
