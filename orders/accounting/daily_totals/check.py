"""The audit of the totals: days that are over have what the books say, and all that is added up adds up."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncMonth, TruncQuarter

from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings
from orders.accounting.daily_totals.comparing import OF_LEDGER, OF_ORDERS, Differing, differing_days
from orders.accounting.daily_totals.dimensions import WHOLE, dimensions
from orders.accounting.daily_totals.keeping import is_settled
from orders.accounting.daily_totals.statement import MEASURES
from orders.accounting.report import Span
from orders.models import GatewayTotal, Length, LostAttempt, Order, OrderEvent, Total, TotalSpan
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry

Kind = LedgerEntry.Kind
Sums = dict[tuple[date, str], tuple[int, ...]]


def check_totals(findings: AuditFindings) -> None:
    """Compare the totals of the days that are over with the books, and with each other."""
    closed = [one for one in TotalSpan.objects.filter(span=Length.DAY).order_by("first") if is_settled(one)]
    findings.figures.append(("totals: days compared", str(len(closed))))
    if not closed:
        return
    problems = [*_unlike_the_books(closed), *_unlike_the_days(closed), *_unlike_payments(closed)]
    findings.problems.extend(problems[:SHOWN_PROBLEMS])


def _unlike_the_books(closed: Sequence[TotalSpan]) -> Iterator[str]:
    """The ledger of a day that is over stands still. What upstream charged, and how orders ended, may have changed
    since the day was reckoned: then the task will see it as well.
    """
    reckoned_at = {one.first: one.reckoned_at for one in closed}
    differing = differing_days(Span(closed[0].first, closed[-1].first))
    for day in sorted(differing.keys() & reckoned_at.keys()):
        moment = reckoned_at[day]
        found = differing[day]
        if moment is not None and not found.keys() & set(OF_LEDGER) and _changed_since(Span(day, day), moment):
            continue
        yield from _in_words(day, found)


def _in_words(day: date, differing: Differing) -> Iterator[str]:
    for name, (kept, said) in differing.items():
        had, should = (str(kept), str(said)) if name in OF_ORDERS else (_text(kept), _text(said))
        yield f"totals of {day}: {name.replace('_', ' ')} {had}, but the books say {should}"


def _changed_since(span: Span, moment: datetime) -> bool:
    """Whether anything was heard of the orders of a day, or of what was booked beside orders on it, since a moment."""
    sold = Q(created_at__gte=span.begins, created_at__lt=span.ends)
    if Order.objects.filter(sold, Q(polled_at__gte=moment) | Q(finished_at__gte=moment)).exists():
        return True
    events = OrderEvent.objects.filter(order__created_at__gte=span.begins, order__created_at__lt=span.ends)
    if events.filter(created_at__gte=moment).exists():
        return True
    beside = LostAttempt.objects.filter(settled_at__gte=span.begins, settled_at__lt=span.ends)
    return beside.filter(Q(looked_at__gte=moment) | Q(settled_at__gte=moment)).exists()


def _unlike_the_days(closed: Sequence[TotalSpan]) -> Iterator[str]:
    """What services, customers and so on have comes to what the day has; longer spans to what their days have."""
    days = {one.first for one in closed}
    names = {WHOLE, *dimensions()}
    by_day = _sums(Total.objects.filter(span=Length.DAY), "first")
    for (day, dimension), sums in sorted(by_day.items()):
        if day in days and dimension in names and sums != by_day.get((day, WHOLE)):
            yield f"totals of {day} by {dimension} do not come to those of the day: {_first_unlike(sums, by_day, day)}"
    for length, cut in ((Length.MONTH, TruncMonth), (Length.QUARTER, TruncQuarter)):
        said = _sums(Total.objects.filter(span=Length.DAY).annotate(whole=cut("first")), "whole")
        kept = _sums(Total.objects.filter(span=length), "first")
        added_up = TotalSpan.objects.filter(span=length, reckoned_at__isnull=False)
        for first in added_up.order_by("first").values_list("first", flat=True):
            for name in sorted(names):
                if kept.get((first, name)) != said.get((first, name)):
                    yield f"totals of the {length.label.lower()} from {first} by {name} are not what its days come to"


def _sums(totals: QuerySet[Total], first: str) -> Sums:
    added = {f"sum_{name}": Sum(name) for name in MEASURES}
    rows = totals.order_by().values_list(first, "dimension").annotate(**added)
    return {(row[0], row[1]): tuple(int(value) for value in row[2:]) for row in rows}


def _first_unlike(sums: tuple[int, ...], by_day: Sums, day: date) -> str:
    whole = by_day.get((day, WHOLE), (0,) * len(MEASURES))
    name, has, should = next(
        (name, has, should) for name, has, should in zip(MEASURES, sums, whole, strict=True) if has != should
    )
    if name.endswith("_micros"):
        return f"{name.removesuffix('_micros').replace('_', ' ')} {_text(has)} instead of {_text(should)}"
    return f"{name.replace('_', ' ')} {has} instead of {should}"


def _unlike_payments(closed: Sequence[TotalSpan]) -> Iterator[str]:
    """What gateways brought and took on all the days that are over is what the ledger has of it."""
    days = [one.first for one in closed]
    span = Span(days[0], days[-1])
    if len(days) != (span.last - span.first).days + 1:
        return  # a day between them is being reckoned: the next audit compares
    entries = LedgerEntry.objects.filter(created_at__gte=span.begins, created_at__lt=span.ends)
    said = dict(entries.order_by().values_list("kind").annotate(total=Sum("amount_micros")))
    kept: dict[str, Any] = GatewayTotal.objects.filter(day__range=(span.first, span.last)).aggregate(
        **{kind: Sum(column) for kind, column in _OF_PAYMENTS.items()}
    )
    for kind in _OF_PAYMENTS:
        should = said.get(kind, 0) * (-1 if kind == Kind.REVERSAL else 1)
        if (kept[kind] or 0) != should:
            yield f"totals of payments: {kind} {_text(kept[kind] or 0)}, but the ledger says {_text(should)}"


_OF_PAYMENTS = {
    Kind.TOP_UP.value: "paid_in_micros",
    Kind.BONUS.value: "bonus_micros",
    Kind.REVERSAL.value: "taken_back_micros",
}
