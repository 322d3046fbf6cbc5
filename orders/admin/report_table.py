"""The reports as people read them: columns, rows with bars, figures beside those of the period before, and CSV."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.csv_export import CsvLines
from accounts.moments import write_day, write_month
from accounts.templatetags.money import money
from catalog.browse.durations import write_short_duration
from orders.accounting.daily_totals.reading import Sums
from orders.accounting.report import Span
from upstream.money import nearest_cent, text_from_micros

EMPTY = "–"
BAR_WIDTH = 100


@dataclass(frozen=True)
class Column:
    """One figure of a line: how it is read on the page, and by a program. `sort` names it to the reader."""

    title: str
    value: Callable[[Any], int | None]
    kind: str = "money"  # money, count, percent, seconds
    sort: str = ""

    def shown(self, line: Any) -> str:
        """Return it in the reader's language; amounts to the cent, the books have all of them."""
        value = self.value(line)
        if value is None:
            return EMPTY
        if self.kind == "money":
            return money(nearest_cent(value))
        if self.kind == "percent":
            return f"{value}%"
        return write_short_duration(value) if self.kind == "seconds" else str(value)

    def plain(self, line: Any) -> str:
        """Return it as a program reads it."""
        value = self.value(line)
        if value is None:
            return ""
        return text_from_micros(nearest_cent(value)) if self.kind == "money" else str(value)

    @property
    def csv_title(self) -> str:
        """Return the header with its unit."""
        units = {"money": settings.STORE_CURRENCY, "percent": "%", "seconds": _("seconds")}
        unit = units.get(self.kind, "")
        return self.title if not unit or unit in self.title else f"{self.title}, {unit}"


@dataclass
class Row:
    """A line of a table: what it is about, its figures, and a bar of sales with the margin in them.

    `link` leads to what it is about, `orders_link` to the orders behind its first figure.
    """

    title: str
    cells: Sequence[str]
    link: str = ""
    orders_link: str = ""
    orders_label: str = ""
    bar: int = 0  # of BAR_WIDTH
    bar_margin: int = 0
    titled: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Header:
    """The head of a column; `link` sorts by it, `sorted` is "ascending" or "descending" for the one sorted by."""

    title: str
    link: str = ""
    sorted: str = ""


@dataclass
class Table:
    """What `templates/admin/orders/report_table.html` draws."""

    headers: list[Header]
    rows: list[Row]
    label: str = ""

    def __post_init__(self) -> None:
        titles = [header.title for header in self.headers[1:]]
        for row in self.rows:
            row.titled = list(zip(titles, row.cells, strict=True))
            row.orders_label = _("Orders (%(count)s): %(what)s") % {"count": row.cells[0], "what": row.title}


@dataclass(frozen=True)
class Figure:
    """A figure of the period beside that of the period before; `good` says what its change means."""

    title: str
    now: str
    before: str
    change: str
    good: bool | None


def profit_columns() -> list[Column]:
    """Return what is asked of everything that is sold."""
    return [
        Column(_("Orders"), lambda line: line.orders, "count", "orders"),
        Column(_("Sales"), lambda line: line.net_micros, sort="sales"),
        Column(_("Refunds"), lambda line: line.given_back_micros, sort="refunds"),
        Column(_("Expected cost"), lambda line: line.expected_micros, sort="expected"),
        Column(_("Real cost"), lambda line: line.upstream_micros, sort="cost"),
        Column(_("Above expected"), lambda line: line.over_micros, sort="over"),
        Column(_("Margin"), lambda line: line.margin_micros, sort="margin"),
        Column(_("Margin, %"), margin_percent, "percent"),
    ]


def before_column(before: Mapping[int, Sums]) -> Column:
    """Return the margin of the same thing in the period before."""
    return Column(_("Margin before"), lambda line: before[line.key].margin_micros if line.key in before else 0)


def gateway_columns() -> list[Column]:
    """Return what is asked of a way to pay."""
    return [
        Column(_("Payments"), lambda line: line["payments"], "count"),
        Column(_("Paid in"), lambda line: line["paid_in_micros"]),
        Column(_("Fees"), lambda line: line["fees_micros"]),
        Column(_("Bonus"), lambda line: line["bonus_micros"]),
        Column(_("Taken back"), lambda line: line["taken_back_micros"]),
        Column(_("Left"), lambda line: line["paid_in_micros"] - line["taken_back_micros"]),
    ]


def margin_percent(line: Sums) -> int | None:
    """Return the margin in percent of what was sold, less what was given back; None where nothing is left of that."""
    kept = line.net_micros - line.given_back_micros
    return round(line.margin_micros * 100 / kept) if kept > 0 else None


def rows_of(lines: Sequence[Any], columns: Sequence[Column], titles: Sequence[str]) -> list[Row]:
    """Return the rows of a table, without links or bars."""
    return [Row(title, [column.shown(line) for column in columns]) for line, title in zip(lines, titles, strict=True)]


def add_bars(rows: Sequence[Row], sales: Sequence[int], margins: Sequence[int]) -> None:
    """Draw sales and the margin in them beside each other; what lost money has no margin to show."""
    most = max([*sales, 1])
    for row, sold, margin in zip(rows, sales, margins, strict=True):
        row.bar = max(sold, 0) * BAR_WIDTH // most
        row.bar_margin = min(max(margin, 0), max(sold, 0)) * BAR_WIDTH // most


def figures(now: Sums, before: Sums) -> list[Figure]:
    """Return the figures of a period beside those of the one before."""
    columns = {column.sort: column for column in profit_columns() if column.sort}
    bad_when_more = ("refunds", "over")
    found = []
    for name in ("sales", "margin", "refunds", "cost", "over", "orders"):
        column = columns[name]
        value, was = column.value(now) or 0, column.value(before) or 0
        change = f"{round((value - was) * 100 / was):+d}%".replace("-", "−") if was > 0 and value != was else ""
        good = None if value == was or name == "cost" else (value > was) != (name in bad_when_more)
        found.append(Figure(column.title, column.shown(now), column.shown(before), change, good))
    return found


def period_title(span: Span, length: str) -> str:
    """Return a day, week or month in the reader's language."""
    if length == "month":
        return write_month(span.first)
    if length == "week" and span.first != span.last:
        return f"{date_format(span.first, 'SHORT_DATE_FORMAT')} – {date_format(span.last, 'SHORT_DATE_FORMAT')}"
    return write_day(span.first)


def csv_of(first_titles: Sequence[str], columns: Sequence[Column], lines: Iterator[tuple[Sequence[Any], Any]]) -> Any:
    """Yield lines of CSV under a header: what each is about, and its figures with two decimals and no signs."""
    csv = CsvLines()
    yield csv.head([*first_titles, *(column.csv_title for column in columns)])
    for about, line in lines:
        yield csv.line([*about, *(column.plain(line) for column in columns)])
