"""Goods as files: text as it came, a table for spreadsheets, JSON for programs."""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.csv_export import CsvLines
from orders.columns.goods import Goods


class File(NamedTuple):
    """A kind of file: how it ends, what it is, and its text."""

    content_type: str
    write: Callable[[int, Goods], Iterator[str]]


def _text(order_id: int, goods: Goods) -> Iterator[str]:
    for line in goods.lines:
        yield f"{line.raw}\n"


def _csv(order_id: int, goods: Goods) -> Iterator[str]:
    """Write a row a line. The last column holds the whole line, whether or not it fits the others."""
    lines = CsvLines()
    yield lines.head([_("Order"), _("Line number"), *goods.labels, _("Whole line")])
    for line in goods.lines:
        values = line.values
        yield lines.line([order_id, line.number, *(values.get(column) for column in goods.columns), line.raw])


def _json(order_id: int, goods: Goods) -> Iterator[str]:
    """Write names of columns that no language changes. What is not ASCII is escaped: no reader gets it wrong."""
    rows = [{"line": line.number, "fields": line.values or None, "raw": line.raw} for line in goods.lines]
    yield json.dumps({"order": order_id, "columns": goods.columns, "goods": rows}, indent=1)


FILES = {
    "txt": File("text/plain; charset=utf-8", _text),
    "csv": File("text/csv; charset=utf-8", _csv),
    "json": File("application/json", _json),
}
