"""The report of the books as people read it: tables and bars for the page, and one wide table as CSV."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.csv_export import CsvLines
from accounts.templatetags.money import money
from orders.accounting.report import Line, Report
from orders.accounting.report.totals import NO_PAYMENT
from upstream.money import text_from_micros
from wallet.gateways import enabled_gateways

EMPTY = "–"
BAR_HEIGHT = 100
BAR_STEP = 20


@dataclass(frozen=True)
class Column:
    """One amount of a line; `currency` is empty for the shop's."""

    title: str
    micros: Callable[[Line], int | None]
    currency: str = ""

    def shown(self, line: Line) -> str:
        """Return the amount in the reader's language."""
        micros = self.micros(line)
        return EMPTY if micros is None else money(micros, self.currency)

    def plain(self, line: Line) -> str:
        """Return the amount as a program reads it."""
        micros = self.micros(line)
        return "" if micros is None else text_from_micros(micros)


@dataclass(frozen=True)
class Bar:
    """The sales of a line and the margin in them, as heights from 0 to BAR_HEIGHT; `left` is where it stands."""

    left: int
    sales: int
    margin: int
    title: str

    @property
    def sales_top(self) -> int:
        return BAR_HEIGHT - self.sales

    @property
    def margin_top(self) -> int:
        return BAR_HEIGHT - self.margin


def tables(found: Report) -> list[dict[str, Any]]:
    """Return the tables of the page, each with a title, headers and rows; the last row is the sum."""
    whole = _("Total")
    lines = [(span_title(line), line) for line in found.lines]
    made = []
    for title, columns in _groups(found):
        rows = [[name, *(column.shown(line) for column in columns)] for name, line in [*lines, (whole, found.whole)]]
        made.append({"title": title, "table": {"headers": ["", *(column.title for column in columns)], "rows": rows}})
    return made


def chart(lines: Sequence[Line], title: Callable[[Line], str] | None = None) -> dict[str, Any]:
    """Return what the drawing of these lines, at least one, is made of: see templates/admin/orders/chart.html."""
    drawn = bars(lines, title or span_title)
    return {"bars": drawn, "bar_width": BAR_STEP - 4, "width": len(drawn) * BAR_STEP, "height": BAR_HEIGHT}


def bars(lines: Sequence[Line], title: Callable[[Line], str]) -> list[Bar]:
    """Return a bar for each line; the highest sales fill the height. What lost money has no margin to show."""
    maximum = max(max(line.sales for line in lines), 1)
    return [
        Bar(
            left=number * BAR_STEP,
            sales=line.sales * BAR_HEIGHT // maximum,
            margin=min(max(line.margin, 0), line.sales) * BAR_HEIGHT // maximum,
            title=_("%(day)s: sales %(sales)s, margin %(margin)s")
            % {"day": title(line), "sales": money(line.sales), "margin": money(line.margin)},
        )
        for number, line in enumerate(lines)
    ]


def csv_of(found: Report) -> Iterator[str]:
    """Return the report as lines of CSV under a header; amounts are plain decimals, days are ISO 8601."""
    columns = [column for _title, group in _groups(found) for column in group]
    csv = CsvLines()
    header = [f"{column.title}, {column.currency or settings.STORE_CURRENCY}" for column in columns]
    yield csv.head([_("From"), _("To"), *header])
    for line in found.lines:
        days = line.span.first.isoformat(), line.span.last.isoformat()
        yield csv.line([*days, *(column.plain(line) for column in columns)])


def span_title(line: Line) -> str:
    """Return the day, or the month, of a line in the reader's language."""
    return date_format(line.span.first, "SHORT_DATE_FORMAT" if line.span.is_day else "YEAR_MONTH_FORMAT")


def _groups(found: Report) -> list[tuple[str, list[Column]]]:
    """Return the columns by what they are about."""
    upstream = settings.UPSTREAM_CURRENCY
    names = {name: str(gateway.title) for name, gateway in enabled_gateways().items()}
    names[NO_PAYMENT] = _("unknown payment")
    gateways = [
        Column(_("Paid in via %(gateway)s") % {"gateway": names.get(name, name)}, _came_through(name))
        for name in found.gateways
    ]
    money_in = [
        *gateways,
        Column(_("Bonus"), lambda line: line.bonus),
        Column(_("Payment reversals"), lambda line: line.taken_back),
        Column(_("Adjustments"), lambda line: line.by_hand),
        Column(_("Withdrawals"), lambda line: line.withdrawn),
    ]
    sales = [
        Column(_("Sales"), lambda line: line.sales),
        Column(_("Discounts"), lambda line: line.discounts),
        Column(_("Refunds"), lambda line: line.refunds),
        Column(_("Upstream cost"), lambda line: line.cost),
        Column(_("Claims"), lambda line: line.claims),
        Column(_("Margin"), lambda line: line.margin),
        Column(_("Referral earnings"), lambda line: line.referral),
        Column(_("Cashback"), lambda line: line.cashback),
    ]
    claims = [
        Column(_("Refunds for claims"), lambda line: line.claim_refunds),
        Column(_("Cost of replacements"), lambda line: line.replacements),
    ]
    standing = [
        Column(_("In customers' wallets"), lambda line: line.liability),
        Column(_("Owed by customers"), lambda line: line.receivables),
    ]
    account = [
        Column(_("Paid to upstream"), lambda line: line.paid_in_upstream, upstream),
        Column(_("Expected balance"), lambda line: line.expected_upstream, upstream),
        Column(_("Actual balance"), lambda line: line.balance_upstream, upstream),
        Column(_("Unexplained difference"), lambda line: line.unexplained_upstream, upstream),
    ]
    return [
        (_("Sales"), sales),
        (_("Claims for goods"), claims),
        (_("Money in and out"), money_in),
        (_("At the end of the period"), standing),
        (_("Upstream account at the end of the period"), account),
    ]


def _came_through(gateway: str) -> Callable[[Line], int]:
    return lambda line: line.money_in.get(gateway, 0)
