"""Pages of a list that may be very long: numbered as far as it is counted, then from row to row.

A numbered page skips the rows before it, which is cheap for a thousand and not for fifty thousand. Past the numbers a
page begins after the last row of the one before, found through the index of the list's order.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import router
from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from accounts.fast_queries.reads import Prepared
from accounts.paging import MAX_NUMBERED_PAGES
from catalog.browse.forms import ListingQuery, Sort, whole_number
from catalog.models import Service, ServiceQuerySet
from catalog.models.services import SHOWN_TITLE

SERVICES_PER_PAGE = 30

# What each order compares, and whether the largest comes first; equal ones are told apart by their number, so that
# pages never overlap. One direction for both, because only then can a page begin in the middle of an index.
COLUMNS = {
    Sort.USUAL: ("position", False),
    Sort.CHEAPEST: ("selling_per_thousand_micros", False),
    Sort.DEAREST: ("selling_per_thousand_micros", True),
    Sort.NAME: ("shown_title", False),
    Sort.NEWEST: ("pk", True),
    Sort.POPULAR: ("bought_lately", True),
    Sort.FASTEST: ("done_seconds", False),
}


@dataclass(frozen=True)
class Window:
    """The rows of one page. `number` is None past the numbered pages, `pages` when nobody has counted them.

    Where `ids` are there, the page has these services, and `rows` those of them that had to be read.
    """

    rows: list[Service]
    number: int | None
    pages: int | None
    previous: ListingQuery | None
    following: ListingQuery | None
    ids: Sequence[int] | None = None

    @property
    def is_all(self) -> bool:
        return self.previous is None and self.following is None


# Lists show none of these, and they may be long.
_LEFT_OUT = ("search_text", "upstream_description", "description")
_COLUMNS = [field.attname for field in Service._meta.concrete_fields if field.attname not in _LEFT_OUT]
_rows = Prepared(
    lambda: Service.objects.filter(pk__gt=0).order_by().values_list(*_COLUMNS),
    example=(0,),
    among='"catalog_service"."id"',
)


def open_page(
    places: Sequence[int], query: ListingQuery, *, ids: Sequence[int] | None = None, known: Container[int] = ()
) -> Window:
    """Return the page a question asks for of a list that is known as a whole, in its order; one query at most.

    `places` are those of the services among the `ids`, or are the ids themselves. Those `known` are not read.
    """
    pages = max(1, -(-len(places) // SERVICES_PER_PAGE))
    number = min(query.page, pages)
    here = places[(number - 1) * SERVICES_PER_PAGE : number * SERVICES_PER_PAGE]
    here = here if ids is None else [ids[place] for place in here]
    unknown = [pk for pk in here if pk not in known]
    found = {row[0]: row for row in _rows.rows(0, ids=unknown)} if unknown else {}
    # What has gone meanwhile is missing.
    rows = [Service.from_db(router.db_for_read(Service), _COLUMNS, found[pk]) for pk in unknown if pk in found]
    previous = query.with_(page=number - 1) if number > 1 else None
    following = query.with_(page=number + 1) if number < pages else None
    return Window(rows, number, pages, previous, following, here)


def named_row(query: ListingQuery) -> int | None:
    """Return the id of the service that a page is asked for beside, None where none is named."""
    row = _read_row(query.after or query.before, query.sort)
    return None if row is None else row[1]


def page_beside(query: ListingQuery, at: int | None) -> int:
    """Return the number of the page that goes on beside the row at this place of all; None: which has gone."""
    return 1 if at is None else max(at + (1 if query.after else -1), 0) // SERVICES_PER_PAGE + 1


def open_window(services: ServiceQuerySet, query: ListingQuery, *, counted: int, or_more: bool) -> Window:
    """Return the page a question asks for, the nearest one if there is none; one query.

    `counted` services match, or more. A row that has gone meanwhile leads to the first page, with a second query.
    """
    ordered = _ordered(services, query.sort).defer(*_LEFT_OUT)
    row = _read_row(query.after or query.before, query.sort)
    if row is not None:
        window = _beside(ordered, query, row)
        if window.rows:
            return window
    return _numbered(ordered, query, counted=counted, or_more=or_more)


def _numbered(ordered: ServiceQuerySet, query: ListingQuery, *, counted: int, or_more: bool) -> Window:
    pages = counted // SERVICES_PER_PAGE if or_more else -(-counted // SERVICES_PER_PAGE)
    last = max(1, min(pages, MAX_NUMBERED_PAGES))
    number = min(query.page, last)
    begins = (number - 1) * SERVICES_PER_PAGE
    rows = list(ordered[begins : begins + SERVICES_PER_PAGE + 1])
    following = None
    if len(rows) > SERVICES_PER_PAGE:
        rows = rows[:SERVICES_PER_PAGE]
        following = query.with_(page=number + 1) if number < last else query.with_(after=_write_row(rows[-1], query))
    previous = query.with_(page=number - 1) if number > 1 else None
    return Window(rows, number, None if or_more else max(pages, 1), previous, following)


def _beside(ordered: ServiceQuerySet, query: ListingQuery, row: tuple[Any, int]) -> Window:
    column, largest_first = COLUMNS[query.sort]
    backwards = not query.after
    beyond = TupleLessThan if largest_first != backwards else TupleGreaterThan
    if column == "pk":
        edge: Any = Q(pk__lt=row[1]) if beyond is TupleLessThan else Q(pk__gt=row[1])
    else:
        edge = beyond(Tuple(F(column), F("pk")), row)
    services = ordered.filter(edge)
    rows = list((services.reverse() if backwards else services)[: SERVICES_PER_PAGE + 1])
    more = len(rows) > SERVICES_PER_PAGE
    rows = rows[:SERVICES_PER_PAGE]
    if backwards:
        rows.reverse()
    previous = following = None
    if rows and (more or not backwards):
        previous = query.with_(before=_write_row(rows[0], query))
    if rows and (more or backwards):
        following = query.with_(after=_write_row(rows[-1], query))
    return Window(rows, None, None, previous, following)


def _ordered(services: ServiceQuerySet, sort: Sort) -> ServiceQuerySet:
    column, largest_first = COLUMNS[sort]
    if sort == Sort.NAME:
        services = services.annotate(shown_title=SHOWN_TITLE)
    sign = "-" if largest_first else ""
    if "rank" in services.query.annotations:  # how well each has the words: see `catalog.browse.search`
        return services.order_by(F("rank"), column, "pk")
    return services.order_by(*dict.fromkeys((f"{sign}{column}", f"{sign}pk")))


def _write_row(service: Service, query: ListingQuery) -> str:
    column, _largest_first = COLUMNS[query.sort]
    return str(service.pk) if column == "pk" else f"{getattr(service, column)}~{service.pk}"


def _read_row(text: str, sort: Sort) -> tuple[Any, int] | None:
    """Return what the row is compared by and its number, or None for a text that names no row in this order."""
    value, _tilde, number = text.rpartition("~")
    pk = whole_number(number)
    if pk is None:
        return None
    if sort in (Sort.NAME, Sort.NEWEST):
        return value, pk
    sign, digits = (-1, value[1:]) if value.startswith("-") else (1, value)
    size = whole_number(digits)
    return None if size is None else (sign * size, pk)
