"""Every CSV for spreadsheets is written here: line by line, read right by Excel, and no formula in any cell."""

import csv
import re
from collections.abc import Iterable

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the machine's own code page
# A cell that begins like this is a formula to a spreadsheet, and the texts in it were typed by anybody; the second line
# are the same in full and small width, which some of them take as well. Source: OWASP, "CSV Injection".
_FORMULA = "=+\\-@＝＋－＠﹦﹢﹣﹫"
# What nobody sees, and what is taken away before a cell is looked at.
_BLANK = "\\s\x00\u200b-\u200f\u2060\ufeff"
# Where a cell begins: which character parts cells is up to the reader's program and country.
_CELL_BEGINS = re.compile(f'(^|[,;|"\t\r\n])([{_BLANK}]*)(?=[{_FORMULA}])')
_MADE_HARMLESS = re.compile(f"(^|[,;|\"\t\r\n])([{_BLANK}]*)'(?=[{_FORMULA}])")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class CsvLines:
    """Makes lines of CSV, one after the other: `head` the first, `line` each of the others."""

    def __init__(self) -> None:
        self._writer = csv.writer(_Echo())

    def head(self, cells: Iterable[object]) -> str:
        """Return the line of titles, behind a byte order mark."""
        return BYTE_ORDER_MARK + self.line(cells)

    def line(self, cells: Iterable[object]) -> str:
        """Return a line; numbers stay numbers, all other text is made harmless."""
        written: str = self._writer.writerow(["" if cell is None else harmless(str(cell)) for cell in cells])
        return written


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, whatever parts its cells."""
    if _NUMBER.fullmatch(text):
        return text
    text = _CELL_BEGINS.sub(r"\1\2'", text)
    return f"'{text}" if text.startswith(("\t", "\r")) else text


def as_written(cell: str) -> str:
    """Return the text that `harmless` made this of, for reading a file of ours again."""
    return _MADE_HARMLESS.sub(r"\1\2", cell)


class _Echo:
    """Hands back what a csv writer writes, instead of keeping it."""

    def write(self, text: str) -> str:
        return text
