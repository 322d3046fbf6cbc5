"""Files that change many services: a line for each, with the columns that are the shop's own.

Reading one is quick and done while somebody waits; comparing its lines with the services is long work, see
`check_file`. Files that the list of services is saved as can be edited and read here.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.csv_export import BYTE_ORDER_MARK

MAX_BYTES = 24 * 1024 * 1024
MAX_ROWS = 100_000
MAX_CELLS = 200  # of a line; the list's own file has some dozens
ROWS_A_PART = 250
KEY = "upstream_id"
COLUMNS = (
    *(KEY, "visible", "display_name", "short_title_override", "delivery_override", "warranty_days"),
    *("rate_override", "markup_percent", "paused_because"),
)
Line = tuple[int, list[str]]  # its number in the file, the cells of COLUMNS that the file has


class UnreadableFile(Exception):
    """The file as a whole can't be read; the text says where and what to do, for staff."""


@dataclass(frozen=True)
class ServiceFile:
    """A file as it was read: which of COLUMNS it has, its lines, and columns that nothing is done with."""

    columns: list[str]
    lines: list[Line]
    ignored: list[str]

    def parts(self) -> Iterator[list[Line]]:
        """Yield the lines some at a time."""
        for start in range(0, len(self.lines), ROWS_A_PART):
            yield self.lines[start : start + ROWS_A_PART]


def read_file(content: bytes) -> ServiceFile:
    """Return what a file says. Raises UnreadableFile."""
    try:
        text = content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise UnreadableFile(_("Save the file as “CSV UTF-8”: its letters can't be read.")) from None
    if "\0" in text:
        raise UnreadableFile(_("This is no CSV file."))
    first = io.StringIO(text, newline="").readline()
    delimiter = max((",", ";", "\t"), key=first.count)  # where none is in it, the first line says what is wrong
    if first.count(delimiter) >= MAX_CELLS:
        raise UnreadableFile(_("Line 1 has more than %(cells)d cells.") % {"cells": MAX_CELLS})
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _read(rows)
    except csv.Error as error:
        raise UnreadableFile(
            _("Line %(line)d can't be read as CSV: %(why)s") % {"line": rows.line_num, "why": error}
        ) from error


def _read(rows: Any) -> ServiceFile:
    heads = [head.strip() for head in next(rows, [])]
    wanted = [place for place, head in enumerate(heads) if head in COLUMNS]
    columns = [heads[place] for place in wanted]
    if KEY not in columns or len(columns) < 2:
        names = {"key": KEY, "columns": ", ".join(COLUMNS[1:])}
        raise UnreadableFile(
            _("Line 1 has to name the columns: %(key)s, and one of these at least: %(columns)s.") % names
        )
    if len(set(columns)) < len(columns):
        raise UnreadableFile(_("Line 1 names a column twice."))
    key, line = columns.index(KEY), rows.line_num + 1
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for row in rows:
        number, line = line, rows.line_num + 1
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(heads):
            words = _("Line %(line)d has not as many cells as line 1: %(cells)d instead of %(heads)d.")
            raise UnreadableFile(words % {"line": number, "cells": len(row), "heads": len(heads)})
        cells = [row[place] for place in wanted]
        if (first := seen.setdefault(_number_of(cells[key]), number)) != number:
            words = _("Line %(line)d, %(column)s: the same service as in line %(first)d.")
            raise UnreadableFile(words % {"line": number, "column": KEY, "first": first})
        lines.append((number, cells))
        if len(lines) > MAX_ROWS:
            raise UnreadableFile(_("The file has more than %(rows)d lines. Split it.") % {"rows": MAX_ROWS})
    if not lines:
        raise UnreadableFile(_("The file has no lines below the first."))
    return ServiceFile(columns, lines, [head for head in heads if head and head not in COLUMNS])


def _number_of(cell: str) -> str:
    """Return what lines about the same service have alike: 7 and 007 are one number."""
    said = cell.strip()
    return said.lstrip("0") or "0" if said.isascii() and said.isdigit() else said
