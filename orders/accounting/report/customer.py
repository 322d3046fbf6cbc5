"""What one customer brought the shop since they came, in one line of the report."""

from collections import defaultdict

from django.db.models import BooleanField, Case, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from accounts.models import User
from orders.accounting.audit.upstream import charges_beside
from orders.accounting.report.lines import Line
from orders.accounting.report.periods import Span, today
from orders.accounting.report.totals import AMOUNTS
from orders.lifecycle.refunds import OF_CLAIM
from orders.models import LostAttempt, Order
from upstream.money import MICROS
from wallet.models import LedgerEntry

Kind = LedgerEntry.Kind


def line_of(user: User) -> Line:
    """Return what the report counts, for this customer alone and for all time; three statements.

    `money_in` has what came in under one name, whatever the gateway; how things stand now is left out.
    """
    day = today()
    line = Line(Span(day, day))
    _add_entries(line, user)
    _add_costs(line, user)
    return line


def _add_entries(line: Line, user: User) -> None:
    of_claims = Q(kind=Kind.REFUND, reference__endswith=OF_CLAIM)
    marked = LedgerEntry.objects.filter(wallet__user=user).annotate(
        of_claim=Case(When(of_claims, then=Value(True)), default=Value(False), output_field=BooleanField())
    )
    summed = marked.order_by().values_list("kind", "of_claim").annotate(micros=Sum("amount_micros"))
    for kind, of_claim, micros in summed:
        if kind == Kind.TOP_UP:
            line.money_in[kind] = micros
            continue
        name, sign = ("claim_refunds", 1) if of_claim else AMOUNTS[kind]
        setattr(line, name, getattr(line, name) + sign * micros)


def _add_costs(line: Line, user: User) -> None:
    """Add what upstream took for the orders, at the rates they were sold at; rounded up once a rate, as the report."""
    costs: dict[tuple[bool, int], int] = defaultdict(int)
    placed = Order.objects.filter(user=user, upstream_id__isnull=False).order_by()
    charge = Coalesce("charge_upstream_micros", "cost_upstream_micros")
    replaces = Case(When(original=None, then=Value(False)), default=Value(True), output_field=BooleanField())
    by_rate = placed.annotate(replaces=replaces).values_list("replaces", "exchange_rate_micros")
    for is_replacement, rate, micros in by_rate.annotate(micros=Sum(charge)):
        costs[is_replacement, rate] += micros
    for attempt, micros in charges_beside(LostAttempt.objects.filter(order__user=user)):
        costs[False, attempt.order.exchange_rate_micros] += micros
    for (is_replacement, rate), micros in costs.items():
        name = "replacements" if is_replacement else "cost"
        setattr(line, name, getattr(line, name) - (-micros * rate // MICROS))
