"""Reading the totals: a period by day, week, month or thing, in a few statements whatever the number of orders."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, FloatField, Q, QuerySet, Sum
from django.db.models.functions import Cast, NullIf

from orders.accounting.daily_totals.dimensions import WHOLE, dimensions
from orders.accounting.daily_totals.reckoning import way
from orders.accounting.daily_totals.statement import MEASURES
from orders.accounting.report import Span
from orders.models import GatewayTotal, Length, Total, TotalSpan

DAY = timedelta(days=1)
PERIODS = ("day", "week", "month")


@dataclass
class Sums:
    """Amounts in micros of the shop's currency, and orders, of a thing with this key or of these days."""

    key: int = 0
    span: Span | None = None
    sales_micros: int = 0
    discounts_micros: int = 0
    refunds_micros: int = 0
    claim_refunds_micros: int = 0
    expected_micros: int = 0
    cost_micros: int = 0
    replacements_micros: int = 0
    orders: int = 0
    completed: int = 0
    partial: int = 0
    failed: int = 0
    refunded: int = 0
    done_seconds: int = 0

    @property
    def net_micros(self) -> int:
        """What customers paid, coupons taken off; before refunds."""
        return self.sales_micros - self.discounts_micros

    @property
    def given_back_micros(self) -> int:
        """All refunds, those for claims included."""
        return self.refunds_micros + self.claim_refunds_micros

    @property
    def upstream_micros(self) -> int:
        """What upstream took, for replacements too."""
        return self.cost_micros + self.replacements_micros

    @property
    def over_micros(self) -> int:
        """By how much the real cost is above what was expected."""
        return self.cost_micros - self.expected_micros

    @property
    def margin_micros(self) -> int:
        """The same as in the books."""
        return self.net_micros - self.given_back_micros - self.upstream_micros

    @property
    def seconds(self) -> int | None:
        """How long a completed order took on average."""
        return self.done_seconds // self.completed if self.completed else None

    def percent(self, part: int) -> int | None:
        """Return a part of the orders in percent; "0" is none, and what there was is 1 at least."""
        if not self.orders:
            return None
        return max(round(100 * part / self.orders), 1) if part else 0

    def add(self, other: "Sums") -> None:
        """Add what another line has."""
        for name in MEASURES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


assert {one.name for one in fields(Sums)} >= set(MEASURES)  # noqa: S101

# What lines may be sorted by, as sums of columns.
_SORTED_BY = {
    "orders": F("sum_orders"),
    "sales": F("sum_sales_micros") - F("sum_discounts_micros"),
    "refunds": F("sum_refunds_micros") + F("sum_claim_refunds_micros"),
    "expected": F("sum_expected_micros"),
    "cost": F("sum_cost_micros") + F("sum_replacements_micros"),
    "over": F("sum_cost_micros") - F("sum_expected_micros"),
    "margin": F("sum_sales_micros")
    - F("sum_discounts_micros")
    - F("sum_refunds_micros")
    - F("sum_claim_refunds_micros")
    - F("sum_cost_micros")
    - F("sum_replacements_micros"),
}
# What a list of things that do badly is sorted by: how long a completed order takes, and shares of the orders.
_WORST = {
    "slow": Cast("sum_done_seconds", FloatField()) / NullIf("sum_completed", 0),
    "failing": Cast("sum_failed", FloatField()) / NullIf("sum_orders", 0),
    "refunded": Cast("sum_refunded", FloatField()) / NullIf("sum_orders", 0),
}
SORTED_BY = ("sales", "margin", "orders", "refunds", "expected", "cost", "over")
_ADDED = {f"sum_{name}": Sum(name) for name in MEASURES}


@dataclass(frozen=True)
class Standing:
    """Which totals of a period are there: the last day that is, since when, and how many days are missing or old."""

    last: date | None
    reckoned_at: datetime | None
    missing: int


class Reader:
    """Reads a period's totals; whole months that stand still are read as such. One statement to begin with."""

    def __init__(self, span: Span) -> None:
        self.span = span
        rows = TotalSpan.objects.filter(first__range=(span.first.replace(day=1), span.last), reckoned_at__isnull=False)
        self._rows = [row for row in rows if row.way == way()]
        months = {row.first for row in self._rows if row.span == Length.MONTH}
        self._where = _where(span, months)

    def standing(self, until: date) -> Standing:
        """Return which days of the period, up to `until`, have totals that count."""
        days = [row for row in self._rows if row.span == Length.DAY and row.first >= self.span.first]
        last = max(days, key=lambda row: row.first, default=None)
        wanted = (min(self.span.last, until) - self.span.first).days + 1
        if last is None:
            return Standing(None, None, max(wanted, 0))
        return Standing(last.first, last.reckoned_at, max(wanted - len(days), 0))

    def whole(self, dimension: str = WHOLE) -> Sums:
        """Return the sums of the period, or of those of its lines that a report by this is about; one statement."""
        rows = self._of(dimension).aggregate(**_ADDED)
        return _sums(rows)

    def days(self) -> list[Sums]:
        """Return the days on which anything was, in their order; one statement."""
        rows = Total.objects.filter(
            dimension=WHOLE, span=Length.DAY, first__range=(self.span.first, self.span.last)
        ).order_by("first")
        return [
            _sums({f"sum_{name}": getattr(row, name) for name in MEASURES}, Span(row.first, row.first)) for row in rows
        ]

    def by_period(self, length: str) -> list[Sums]:
        """Return a line for each day, week (from Monday on) or month of the period, also for those without sales."""
        lines = [Sums(span=span) for span in _spans(self.span, length)]
        found = iter(lines)
        line = next(found)
        for day in self.days():
            while day.span and line.span and day.span.first > line.span.last:
                line = next(found)
            line.add(day)
        return lines

    def by_thing(self, dimension: str, *, sort: str, ascending: bool = False, limit: int | None = None) -> list[Sums]:
        """Return the first lines by a dimension; `sort` is one of SORTED_BY; one statement."""
        rows = self._by_key(dimension).annotate(sort=_SORTED_BY[sort]).order_by("sort" if ascending else "-sort", "key")
        return [_sums(row) for row in (rows if limit is None else rows[:limit])]

    def worst(self, dimension: str, *, by: str, least: int, limit: int) -> list[Sums]:
        """Return the things with `least` orders at least that are the most "slow", "failing" or "refunded"."""
        rows = self._by_key(dimension).exclude(key=0).filter(sum_orders__gte=least)
        return [
            _sums(row) for row in rows.annotate(sort=_WORST[by]).filter(sort__gt=0).order_by("-sort", "key")[:limit]
        ]

    def of_keys(self, dimension: str, keys: Collection[int]) -> dict[int, Sums]:
        """Return the lines of these keys; one statement."""
        return {row["key"]: _sums(row) for row in self._by_key(dimension).filter(key__in=keys)}

    def by_gateway(self) -> list[dict[str, Any]]:
        """Return what each gateway brought and took, what brought most first; one statement."""
        within = GatewayTotal.objects.filter(day__range=(self.span.first, self.span.last))
        rows: QuerySet[Any, Any] = within.values("gateway")
        names = ("payments", "paid_in_micros", "fees_micros", "bonus_micros", "taken_back_micros")
        added = rows.annotate(**{f"sum_{name}": Sum(name) for name in names}).order_by("-sum_paid_in_micros", "gateway")
        return [{"gateway": row["gateway"], **{name: int(row[f"sum_{name}"]) for name in names}} for row in added]

    def _by_key(self, dimension: str) -> QuerySet[Any, Any]:
        return self._of(dimension).order_by().values("key").annotate(**_ADDED)

    def _of(self, dimension: str) -> QuerySet[Total]:
        rows = Total.objects.filter(self._where, dimension=dimension)
        known = dimensions().get(dimension)
        return rows.exclude(key=0) if known is not None and known.only_with_key else rows


def span_before(span: Span) -> Span:
    """Return the period before: as many whole months where it is whole months, otherwise as many days."""
    last = span.first - DAY
    if span.first.day == 1 and (span.last + DAY).day == 1:
        months = (span.last.year - span.first.year) * 12 + span.last.month - span.first.month + 1
        month = span.first.year * 12 + span.first.month - 1 - months
        return Span(date(month // 12, month % 12 + 1, 1), last)
    return Span(last - (span.last - span.first), last)


def _sums(row: dict[str, Any], span: Span | None = None) -> Sums:
    made = Sums(key=row.get("key", 0), span=span)
    for name in MEASURES:
        setattr(made, name, int(row[f"sum_{name}"] or 0))
    return made


def _where(span: Span, kept: Collection[date]) -> Q:
    """Return where a period's totals stand: in the months of it that are kept as a whole, and in the other days."""
    months = [month for month in _spans(span, "month") if month.first in kept and _is_whole(month)]
    where = Q(span=Length.MONTH, first__in=[month.first for month in months])
    at = span.first
    for month in months:
        if at < month.first:
            where |= Q(span=Length.DAY, first__range=(at, month.first - DAY))
        at = month.last + DAY
    return where | Q(span=Length.DAY, first__range=(at, span.last)) if at <= span.last else where


def _is_whole(month: Span) -> bool:
    return month.first.day == 1 and (month.last + DAY).day == 1


def _spans(span: Span, length: str) -> Sequence[Span]:
    return list(_parts(span, length))


def _parts(span: Span, length: str) -> Iterator[Span]:
    at = span.first
    while at <= span.last:
        last = at
        if length == "week":
            last = at + (6 - at.weekday()) * DAY
        elif length == "month":
            last = (at.replace(day=1) + timedelta(days=31)).replace(day=1) - DAY
        yield Span(at, min(last, span.last))
        at = last + DAY
