"""The report of a month by days, or of a year by months: a few statements, whatever their number."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Case, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, Substr, TruncDate
from django.utils import timezone

from orders.accounting.audit.findings import total
from orders.accounting.audit.upstream import charges_beside
from orders.accounting.report.account import Seen, look_at_account
from orders.accounting.report.lines import Line, summed
from orders.accounting.report.periods import Span
from orders.lifecycle.refunds import OF_CLAIM
from orders.models import LostAttempt, Order, UpstreamEntry
from upstream.money import MICROS
from wallet.models import LedgerEntry, Receivable, TopUp

Kind = LedgerEntry.Kind
NO_PAYMENT = "?"  # money that came in for no payment we know; the audit names it

# Which amount of a line a ledger row belongs to, and what an amount of it that is above zero means in the ledger.
AMOUNTS: dict[str, tuple[str, int]] = {
    Kind.BONUS: ("bonus", 1),
    Kind.REVERSAL: ("taken_back", -1),
    Kind.ADJUSTMENT: ("by_hand", 1),
    Kind.WITHDRAWAL: ("withdrawn", -1),
    Kind.CHARGE: ("sales", -1),
    Kind.DISCOUNT: ("discounts", 1),
    Kind.REFUND: ("refunds", 1),
    Kind.REFERRAL: ("referral", 1),
    Kind.CASHBACK: ("cashback", 1),
}
OF_MARGIN = (Kind.CHARGE, Kind.DISCOUNT, Kind.REFUND)


@dataclass(frozen=True)
class Report:
    """The lines of a span in their order, and their sum; `gateways` are those that brought money in it."""

    lines: list[Line]
    whole: Line
    gateways: list[str]


def report(spans: Sequence[Span]) -> Report:
    """Return a line for each of these spans, which follow on each other; at least one.

    Money is counted on the day of its ledger row, by the shop's clock, and the cost of an order on the day it was sold:
    a refund that comes later, and a charge that upstream corrects, change the lines of those days.
    """
    whole = Span(spans[0].first, spans[-1].last)
    days = _days(whole)
    lines = []
    for span in spans:
        inside = [line for day, line in days.items() if span.first <= day <= span.last]
        lines.append(summed([Line(span), *inside]))
        lines[-1].span = span
    _add_standings(lines, whole)
    _add_account(lines)
    gateways = sorted({name for line in lines for name in line.money_in})
    return Report(lines, summed(lines), gateways)


def sold_by_day(whole: Span) -> dict[date, Line]:
    """Return the days of a span on which anything was sold or given back, with what their margin is made of.

    The same amounts as in `report`, at a tenth of the rows read; four statements.
    """
    days: dict[date, Line] = {}
    _add_entries(days, LedgerEntry.objects.filter(kind__in=OF_MARGIN), whole)
    _add_costs(days, whole)
    return days


def first_year(*, today: date) -> int:
    """Return the year of the first ledger row, today's while there is none."""
    first = LedgerEntry.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return today.year if first is None else timezone.localtime(first, timezone.get_default_timezone()).year


def _days(whole: Span) -> dict[date, Line]:
    """Return what happened on each day on which anything did."""
    days: dict[date, Line] = {}
    _add_entries(days, LedgerEntry.objects.exclude(kind=Kind.TOP_UP), whole)
    for day, gateway, micros in _money_in(whole):
        _line(days, day).money_in[gateway or NO_PAYMENT] = micros
    _add_costs(days, whole)
    for owed in (_within(Receivable.objects, whole), _within(_paid_of_receivables(), whole)):
        for day, micros in owed.values_list("day").annotate(total=Sum("amount_micros")):
            _line(days, day).newly_owed += micros
    paid_in = _within(UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.TOP_UP), whole)
    for day, micros in paid_in.values_list("day").annotate(total=Sum("amount_upstream_micros")):
        _line(days, day).paid_in_upstream = micros
    return days


def _line(days: dict[date, Line], day: date) -> Line:
    return days.setdefault(day, Line(Span(day, day)))


def _add_entries(days: dict[date, Line], entries: QuerySet[LedgerEntry], whole: Span) -> None:
    """Add what rows of the ledger, none of them a payment, say of the days of a span."""
    of_claims = Q(kind=Kind.REFUND, reference__endswith=OF_CLAIM)
    marked = _within(entries, whole).annotate(of_claim=Case(When(of_claims, then=True), default=False))
    for day, kind, of_claim, micros in marked.values_list("day", "kind", "of_claim").annotate(
        total=Sum("amount_micros")
    ):
        name, sign = ("claim_refunds", 1) if of_claim else AMOUNTS[kind]
        line = _line(days, day)
        setattr(line, name, getattr(line, name) + sign * micros)


def _add_costs(days: dict[date, Line], whole: Span) -> None:
    """Add what upstream took for the orders of the days of a span."""
    placed = _within(Order.objects.filter(upstream_id__isnull=False), whole)
    for day, micros in _costs(placed.filter(original=None), whole).items():
        _line(days, day).cost = micros
    for day, micros in _costs(placed.filter(original__isnull=False), None).items():
        _line(days, day).replacements = micros


def _money_in(whole: Span) -> list[tuple[date, str | None, int]]:
    """Return days, gateways and what they brought. A reference is `top_up:` and the payment's own, 12 letters.

    Joined by hand: no relation leads from the ledger to payments, and a subquery would be asked once a row.
    """
    entries = _within(LedgerEntry.objects.filter(kind=Kind.TOP_UP), whole)
    named = entries.annotate(payment=Substr("reference", 8, 12)).values("day", "payment", "amount_micros")
    rows, params = named.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.day, top_up.gateway, SUM(entry.amount_micros) "  # noqa: S608 - our own statement
            f"FROM ({rows}) AS entry LEFT JOIN {TopUp._meta.db_table} AS top_up ON top_up.reference = entry.payment "
            "GROUP BY entry.day, top_up.gateway",
            params,
        )
        return [(_as_date(day), gateway, int(micros)) for day, gateway, micros in cursor.fetchall()]


def _as_date(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day  # SQLite has no dates


def _costs(placed: QuerySet[Any, Any], booked_within: Span | None) -> dict[date, int]:
    """Return what these orders cost by their day, at the rates they were sold at; rounded up once a day and rate.

    With what was booked beside orders within a span, where it is given.
    """
    by_rate: dict[tuple[date, int], int] = defaultdict(int)
    charge = Coalesce("charge_upstream_micros", "cost_upstream_micros")
    for day, rate, micros in placed.values_list("day", "exchange_rate_micros").annotate(total=Sum(charge)):
        by_rate[day, rate] += micros
    if booked_within is not None:
        booked = LostAttempt.objects.filter(settled_at__gte=booked_within.begins, settled_at__lt=booked_within.ends)
        for attempt, micros in charges_beside(booked):
            assert attempt.settled_at is not None  # noqa: S101 - the filter above
            day = timezone.localdate(attempt.settled_at, timezone.get_default_timezone())
            by_rate[day, attempt.order.exchange_rate_micros] += micros
    costs: dict[date, int] = defaultdict(int)
    for (day, rate), micros in by_rate.items():
        costs[day] += -(-micros * rate // MICROS)
    return costs


def _add_standings(lines: Sequence[Line], whole: Span) -> None:
    """Say what the shop owed its customers at the end of each line, and what they owed the shop."""
    before = {"created_at__lt": whole.begins}
    liability = total(LedgerEntry.objects.filter(**before), "amount_micros")
    owed = total(Receivable.objects.filter(**before), "amount_micros")
    owed += total(_paid_of_receivables().filter(**before), "amount_micros")
    for line in lines:
        liability += line.moved
        owed += line.newly_owed
        line.liability, line.receivables = liability, owed


def _paid_of_receivables() -> QuerySet[LedgerEntry]:
    """Return the ledger rows by which customers paid what they owe; their amounts are below zero."""
    return LedgerEntry.objects.filter(kind=Kind.REVERSAL, reference__startswith="receivable:")


def _add_account(lines: Sequence[Line]) -> None:
    for line, seen in zip(lines, look_at_account([line.span for line in lines]), strict=True):
        if isinstance(seen, Seen):
            line.expected_upstream, line.balance_upstream = seen.expected_micros, seen.balance_micros


def _within(rows: Any, span: Span) -> QuerySet[Any, Any]:
    """Return the rows of a span, each with the `day` that the shop's clock showed."""
    day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
    found: QuerySet[Any, Any] = rows.filter(**_when(span)).annotate(day=day).order_by()
    return found


def _when(span: Span) -> dict[str, datetime]:
    return {"created_at__gte": span.begins, "created_at__lt": span.ends}
