"""Reading the totals: a period by day, week, month or thing, in a few statements whatever the number of orders."""

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from orders.accounting.daily_totals.dimensions import WHOLE, dimensions
from orders.accounting.daily_totals.reckoning import last_day, way
from orders.accounting.daily_totals.statement import MEASURES
from orders.accounting.report import Span
from orders.models import GatewayTotal, Length, Total, TotalSpan

DAY = timedelta(days=1)
WHOLES = (Length.QUARTER, Length.MONTH)  # the longest first
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

# What lines may be sorted by.
_NET = F("sales_micros") - F("discounts_micros")
_GIVEN_BACK = F("refunds_micros") + F("claim_refunds_micros")
_UPSTREAM = F("cost_micros") + F("replacements_micros")
_SORTED_BY = {
    "orders": F("orders"),
    "sales": _NET,
    "refunds": _GIVEN_BACK,
    "expected": F("expected_micros"),
    "cost": _UPSTREAM,
    "over": F("cost_micros") - F("expected_micros"),
    "margin": _NET - _GIVEN_BACK - _UPSTREAM,
}
# How badly a thing does, by its counts: how long a completed order takes, and shares of the orders.
_COUNTED = ("orders", "completed", "failed", "refunded", "done_seconds")
WORST: dict[str, Callable[..., float]] = {
    "slow": lambda orders, completed, failed, refunded, seconds: seconds / completed if completed else 0,
    "failing": lambda orders, completed, failed, refunded, seconds: failed / orders,
    "refunded": lambda orders, completed, failed, refunded, seconds: refunded / orders,
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
    """Reads a period's totals; whole quarters and months are read as such. One statement to begin with."""

    def __init__(self, span: Span) -> None:
        self.span = span
        rows = TotalSpan.objects.filter(first__range=(span.first.replace(day=1), span.last), reckoned_at__isnull=False)
        self._rows = [row for row in rows if row.way == way()]
        self._where = _where(span, {(row.span, row.first) for row in self._rows if row.span in WHOLES})

    def standing(self, *, since: date | None, until: date) -> Standing:
        """Return which days have totals that count, of those from `since` on, none: there are no rows to add up."""
        days = [row for row in self._rows if row.span == Length.DAY and row.first >= self.span.first]
        last = max(days, key=lambda row: row.first, default=None)
        wanted = 0 if since is None else (min(self.span.last, until) - max(self.span.first, since)).days + 1
        missing = max(wanted - len(days), 0)
        return Standing(None, None, missing) if last is None else Standing(last.first, last.reckoned_at, missing)

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

    def by_thing(self, dimension: str, *, sort: str, ascending: bool = False, limit: int) -> list[Sums]:
        """Return the first lines by a dimension; `sort` is one of SORTED_BY; two statements.

        The first adds up nothing but what is sorted by: with many things that is most of the time.
        """
        ranked = self._of(dimension).order_by().values("key").annotate(sort=Sum(_SORTED_BY[sort]))
        keys = list(ranked.order_by("sort" if ascending else "-sort", "key").values_list("key", flat=True)[:limit])
        lines = self.of_keys(dimension, keys)
        return [lines[key] for key in keys if key in lines]

    def all_things(self, dimension: str) -> dict[int, Sums]:
        """Return every line by a dimension; one statement."""
        return {row["key"]: _sums(row) for row in self._by_key(dimension)}

    def worst(self, dimension: str, *, least: int, limit: int) -> dict[str, list[Sums]]:
        """Return the things with `least` orders at least that do the worst, by each of WORST; two statements."""
        counted = {f"sum_{name}": Sum(name) for name in _COUNTED}
        counts: QuerySet[Any, Any] = self._of(dimension).exclude(key=0).order_by().values("key")
        rows = counts.annotate(**counted).filter(sum_orders__gte=least).values_list("key", *counted)
        enough = [(key, *map(int, found)) for key, *found in rows]
        keys = {}
        for name, badness in WORST.items():
            measured = ((badness(*found), -key) for key, *found in enough)
            keys[name] = [-key for worth, key in heapq.nlargest(limit, measured) if worth]
        lines = self.of_keys(dimension, {key for each in keys.values() for key in each})
        return {name: [lines[key] for key in each] for name, each in keys.items()}

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
        setattr(made, name, int(row.get(f"sum_{name}") or 0))
    return made


def _where(span: Span, kept: Collection[tuple[str, date]]) -> Q:
    """Return where a period's totals stand: in the quarters and months of it that are kept, and in the other days."""
    parts: list[Q] = []
    days: tuple[date, date] | None = None
    at = span.first
    while at <= span.last:
        length = next((one for one in WHOLES if (one, at) in kept and last_day(one, at) <= span.last), Length.DAY)
        last = at if length == Length.DAY else last_day(length, at)
        if length == Length.DAY:
            days = (days[0] if days else at, at)
        else:
            parts.append(Q(span=length, first=at))
        if days and (length != Length.DAY or last == span.last):
            parts.append(Q(span=Length.DAY, first__range=days))
            days = None
        at = last + DAY
    return reduce(or_, parts)


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
