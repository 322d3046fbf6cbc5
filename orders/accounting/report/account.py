"""The upstream account at the end of a span: what our rows explain, beside what was seen there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Max, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from orders.accounting.audit.upstream import PART_GIVEN_BACK, charges_beside
from orders.accounting.report.periods import Span
from orders.models import FoundOrder, LostAttempt, Order, UpstreamBalance, UpstreamEntry


@dataclass(frozen=True)
class Seen:
    """A look at the account: when, what was there, and what our orders and entries explain, in upstream's micros."""

    asked_at: datetime
    balance_micros: int
    expected_micros: int


def look_at_account(spans: Sequence[Span]) -> list[Seen | None]:
    """Return the last look within each span, None for a span nobody looked in; six statements at most.

    Balances are kept for 30 days. What upstream gave back counts from the moment we saw it.
    """
    opening = UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.OPENING).first()
    looks = [] if opening is None else _looks(spans)
    if opening is None or not looks:
        return [None for _span in spans]
    charged = _charged([look.asked_at for look in looks])
    entries = list(UpstreamEntry.objects.counted().values_list("created_at", "amount_upstream_micros"))
    found: dict[Span, Seen] = {}
    for look, charge in zip(looks, charged, strict=True):
        if look.asked_at < opening.created_at:
            continue
        paid_in = sum(micros for entered_at, micros in entries if entered_at <= look.asked_at)
        for span in spans:
            if span.begins <= look.asked_at < span.ends:  # the last look of a month is that of its last day
                found[span] = Seen(look.asked_at, look.amount_upstream_micros, paid_in - charge)
    return [found.get(span) for span in spans]


def _looks(spans: Sequence[Span]) -> list[UpstreamBalance]:
    """Return the last look of each day that had one."""
    day = TruncDate("asked_at", tzinfo=timezone.get_default_timezone())
    within = UpstreamBalance.objects.filter(asked_at__gte=spans[0].begins, asked_at__lt=spans[-1].ends)
    last = within.annotate(day=day).order_by().values("day").annotate(last=Max("asked_at")).values_list("last")
    return list(UpstreamBalance.objects.filter(asked_at__in=[moment for (moment,) in last]).order_by("asked_at", "pk"))


def _charged(moments: Sequence[datetime]) -> list[int]:
    """Return what upstream had charged by each of these moments, less what we had seen it give back; two statements."""
    charge = Coalesce("charge_upstream_micros", "cost_upstream_micros")
    given_back = F("cost_upstream_micros") - F("charge_upstream_micros")
    sums = {}
    for number, moment in enumerate(moments):
        sent = Q(sent_at__lte=moment)
        sums[f"charged_{number}"] = Sum(charge, filter=sent)
        sums[f"later_{number}"] = Sum(given_back, filter=sent & PART_GIVEN_BACK & Q(finished_at__gt=moment))
    found = Order.objects.filter(upstream_id__isnull=False).aggregate(**sums)
    beside = [(attempt.settled_at, micros) for attempt, micros in charges_beside(LostAttempt.objects.all())]
    beside += FoundOrder.objects.of_nobody().values_list("found_at", Coalesce("charge_upstream_micros", 0))
    return [
        (found[f"charged_{number}"] or 0)
        + (found[f"later_{number}"] or 0)
        + sum(micros for booked_at, micros in beside if booked_at is not None and booked_at <= moment)
        for number, moment in enumerate(moments)
    ]
