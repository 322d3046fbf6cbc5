"""What the lists of the admin have in common: saved filters above them, columns of one line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import CharField, DateTimeField, ForeignKey, Model, TextField
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.moments import write_distance, write_moment
from accounts.templatetags.money import money
from upstream.reading.text import shortened

EMPTY = "–"
TITLE_LENGTH = 32
# Parts of a list's address that are no filter.
NO_FILTERS = frozenset(("p", "o", "q", "all", "e"))


@dataclass(frozen=True)
class SavedFilter:
    """A part of a list that is looked at often; `query` is its query string, made of filters that the list has."""

    title: str | Promise
    query: str


def shown_filters(request: HttpRequest, filters: Iterable[SavedFilter]) -> list[dict[str, Any]]:
    """Return the saved filters as the head of a list shows them, with the one that is looked at."""
    here = {name: request.GET.getlist(name) for name in request.GET if name not in NO_FILTERS}
    return [
        {"title": one.title, "query": one.query, "is_here": dict(QueryDict(one.query).lists()) == here}
        for one in filters
    ]


def in_one_line(text: str, longest: int = 0) -> str:
    """Return a cell that no list breaks into lines, cut where it is longer than `longest` characters."""
    return (shortened(text, longest) if longest else text).replace(" ", "\u00a0")


def cut(text: str, longest: int = TITLE_LENGTH) -> SafeString | str:
    """Return a cell of one line, cut where it is longer, with the whole text where the pointer rests on it."""
    if not text:
        return EMPTY
    return format_html('<span class="whitespace-nowrap" title="{}">{}</span>', text, in_one_line(text, longest))


def at_the_end(value: object) -> SafeString:
    """Return a cell with a number, aligned with those above and below it."""
    return format_html('<div class="text-right whitespace-nowrap">{}</div>', value)


def ago(moment: datetime | None) -> SafeString | str:
    """Return a cell that says how long ago something was, with the moment where the pointer rests on it."""
    if moment is None:
        return EMPTY
    words = in_one_line(write_distance(moment, now=timezone.now()))
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), write_moment(moment), words)


def cut_column(field: str, title: str | Promise, *, longest: int = TITLE_LENGTH) -> Callable[[Any], SafeString | str]:
    """Return a column of a text or a row, see `cut`."""

    @display(description=title)
    def column(row: Any) -> SafeString | str:
        return cut(str(getattr(row, field) or ""), longest)

    column.__name__ = f"cut_{field}"
    return column


def ago_column(field: str, title: str | Promise, *, sortable: bool = False) -> Callable[[Any], SafeString | str]:
    """Return a column of moments, see `ago`. Sortable only where an index helps, or the table is small."""

    @display(description=title, ordering=field if sortable else None)
    def column(row: Any) -> SafeString | str:
        return ago(getattr(row, field))

    column.__name__ = f"ago_{field}"
    return column


@cache  # one column stays one object, by which the list knows it
def column_of(model: type[Model], name: str) -> Any:
    """Return how a list shows a field: moments by how long ago they were, texts and rows in one line, else its name."""
    field = model._meta.get_field(name)
    title = getattr(field, "verbose_name", name)
    if isinstance(field, DateTimeField):
        return ago_column(name, title, sortable=True)
    if isinstance(field, ForeignKey) or (isinstance(field, CharField | TextField) and not field.choices):
        column = cut_column(name, title)
        column.admin_order_field = name  # type: ignore[attr-defined]  # as Django's decorator sets it
        return column
    return name


def amount_column(
    field: str, title: str | Promise, *, currency: str = "", sortable: bool = False
) -> Callable[[Any], SafeString]:
    """Return a column of micros as amounts; empty `currency` is the shop's. Sortable as `ago_column` is."""

    @display(description=title, ordering=field if sortable else None)
    def column(row: Any) -> SafeString:
        micros = getattr(row, field)
        return at_the_end(EMPTY if micros is None else money(micros, currency))

    column.__name__ = f"amount_{field}"
    return column
