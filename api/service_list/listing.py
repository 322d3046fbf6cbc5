"""The list of services as JSON, written piece by piece: a hundred thousand rows are never in memory together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db.models import TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from accounts.models import User
from catalog.models import OrderForm, ServiceQuerySet, shares_of
from catalog.models.services import order_form_of
from catalog.preferences import MEASURED_DAYS
from catalog.pricing import PriceBook, price_book
from upstream.money import text_from_micros

READ_AT_ONCE = 2000
_json = msgspec.json.Encoder()


class Line(NamedTuple):
    """What the list needs of a service; a model's instance takes several times as long to make."""

    id: int
    name: str
    display_name: str
    type: str
    mapped_form: str
    category_id: int
    subcategory_id: int | None
    category__name: str
    category__display_name: str
    category__rate_per: int | None
    upstream_category_id: int | None
    upstream_category__rate_per: int | None
    rate_per_override: int | None
    rate_upstream_micros: int
    rate_override_micros: int | None
    markup_percent: Decimal | None
    min_quantity: int
    max_quantity: int
    refill: bool
    cancel: bool
    stock: int | None
    paused_because: str
    quality__completed: int | None
    quality__partial: int | None
    quality__refunded: int | None
    quality__start_seconds: int | None
    quality__start_seconds_most: int | None
    quality__done_seconds: int | None
    quality__done_seconds_most: int | None
    translated_name: str | None = None
    category_translated_name: str | None = None


COLUMNS = Line._fields[:-2]


@dataclass(frozen=True)
class Format:
    """How a list is formatted: the habits that a key has asked for."""

    bare: bool = False
    numbers_as_text: bool = False


@dataclass(frozen=True)
class Paging:
    """Where in the whole a page stands; `limit` 0 is the whole."""

    total: int
    page: int
    limit: int

    @property
    def start(self) -> int:
        return (self.page - 1) * self.limit

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return min(self.limit, max(self.total - self.start, 0)) if self.limit else self.total


def written(
    found: ServiceQuerySet, user: User, paging: Paging, format_: Format, *, now: datetime, language: str = ""
) -> Iterator[bytes]:
    """Yield the answer as JSON in pieces: these services at this customer's prices of that moment.

    Names are in the `language`, as upstream calls it, where there are such; "": English.
    """
    lines = found.values_list(*COLUMNS)
    if language:
        lines = found.values_list(*COLUMNS, name_in(language, ""), category_name_in(language, "category__"))
    if not paging.limit:
        rows: Iterator[Any] = lines.iterator(chunk_size=READ_AT_ONCE)
    elif paging.start < paging.total:
        rows = iter(lines[paging.start : paging.start + paging.limit])
    else:
        rows = iter(())  # beyond the end nothing has to be asked, and a database could not count that far anyway
    row_of = _row_maker(price_book(user, now=now), format_)
    yield b"[" if format_.bare else b'{"services":['
    count = 0
    while piece := [row_of(Line(*row)) for row in islice(rows, READ_AT_ONCE)]:
        if count:
            yield b","
        count += len(piece)
        yield _json.encode(piece)[1:-1]
    yield b"]" if format_.bare else b"]," + _json.encode(_tail(paging, count, format_))[1:]


def name_in(language: str, place: str) -> KeyTextTransform:
    """Return the column of translated names in one language; `place` leads to the row, like "category__"."""
    return KeyTextTransform(language, f"{place}translated_names")


def category_name_in(language: str, place: str) -> Coalesce:
    """Return the column of what a category is called in one language: the shop's own name, else upstream's."""
    own = KeyTextTransform(language, f"{place}own_names")
    shops = NullIf(f"{place}display_name", Value(""))
    return Coalesce(own, shops, name_in(language, place), output_field=TextField())


def _tail(paging: Paging, count: int, format_: Format) -> dict[str, int | str]:
    number = str if format_.numbers_as_text else int
    total, page, limit, pages = paging.total, paging.page, paging.limit, 1
    if limit:
        pages = max(-(-total // limit), 1)
    else:
        total, page, limit = count, 1, count
    return {"total": number(total), "page": number(page), "limit": number(limit), "total_pages": number(pages)}


def _row_maker(book: PriceBook, format_: Format) -> Callable[[Line], dict[str, Any]]:
    default_rate_per: int = settings.DEFAULT_RATE_PER
    measured_days = MEASURED_DAYS.value.days
    number: Callable[[int], int | str] = str if format_.numbers_as_text else int

    def row_of(line: Line) -> dict[str, Any]:
        place = line.category_id, line.subcategory_id, line.id
        formula = book.customers_formula(*place, own_percent=line.markup_percent)
        rate_micros = formula.rate_micros(line.rate_upstream_micros, line.rate_override_micros)
        form = order_form_of(line.type, line.mapped_form)
        home_rate_per = line.category__rate_per
        if line.upstream_category_id is not None:
            home_rate_per = line.upstream_category__rate_per
        rate_per = line.rate_per_override or home_rate_per or default_rate_per
        row: dict[str, Any] = {
            "service": number(line.id),
            "name": line.display_name or line.translated_name or line.name,
            "type": line.type,
            "category": line.category_translated_name or line.category__display_name or line.category__name,
            "rate": text_from_micros(rate_micros * (1000 // rate_per)),
            "min": number(line.min_quantity),
            "max": number(line.max_quantity),
            "refill": line.refill,
            "cancel": line.cancel,
            "stock": number(orderable_stock(form, line.stock, line.max_quantity, line.paused_because)),
        }
        if line.quality__completed is not None:
            if line.quality__done_seconds is not None:
                row["average_time"] = number(_minutes(line.quality__done_seconds))
            row["quality"] = _quality(line, measured_days)
        return row

    return row_of


def _quality(line: Line, days: int) -> dict[str, int | None]:
    """What became of a service's orders; times in minutes, at the half of them and at nine in ten."""
    outcomes = line.quality__completed or 0, line.quality__partial or 0, line.quality__refunded or 0
    completed, partial, refunded = shares_of(*outcomes)
    return {
        "days": days,
        "orders": sum(outcomes),
        "completed_percent": completed,
        "partial_percent": partial,
        "refunded_percent": refunded,
        "start_minutes": _minutes(line.quality__start_seconds),
        "start_minutes_p90": _minutes(line.quality__start_seconds_most),
        "done_minutes": _minutes(line.quality__done_seconds),
        "done_minutes_p90": _minutes(line.quality__done_seconds_most),
    }


def _minutes(seconds: int | None) -> Any:
    return None if seconds is None else seconds // 60


def orderable_stock(order_form: OrderForm, stock: int | None, max_quantity: int, paused_because: str) -> int:
    """What one could order: the document has no word for "not limited" nor for "paused"."""
    if paused_because or order_form == OrderForm.UNKNOWN:
        return 0
    return max_quantity if stock is None else stock
