"""When nothing about an order can change any more, and what of the margin it left may be given away then."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.batches import batches
from catalog.preferences import FLOOR_MARGIN
from orders.models import DELIVERED, DeliveredGoods, GoodsClaim, LostAttempt, Order, OrderEvent, ServiceRequest, Status
from upstream.money import MICROS, round_refund

log = structlog.get_logger(__name__)
CAME_TO_NOTHING = (Status.FAILED, Status.CANCELED)
LOOK_AGAIN = timedelta(days=1)
LOOK_SOON = timedelta(hours=1)
# For the end of a warranty: one that has none would keep what was earned for ever.
LONGEST_WAIT = timedelta(days=366)
# Attempts of which upstream may yet show an order: a second one is the shop's loss, and nothing has been earned.
STILL_SOUGHT = (LostAttempt.State.LOST, LostAttempt.State.SOUGHT, LostAttempt.State.ABANDONED)


# Settles one earning, by its key; returns whether something was credited.
Settle = Callable[[int, datetime], bool]


def settle_due(waiting: QuerySet[Any], settle: Settle, *, unsettled: str, now: datetime) -> int:
    """Settle the earnings that are due; return how many were credited.

    One that cannot be settled is logged as `unsettled` and looked at again later, behind the others. What is still due
    when the time of a round is over is the next round's.
    """
    due = waiting.filter(due_at__lte=now).order_by("due_at", "pk")
    credited = 0
    for ids in batches(due):
        for pk in ids:
            try:
                credited += settle(pk, now)
            except Exception:  # whatever is wrong with one of them, the others have been earned
                log.exception(unsettled, earning_id=pk)
                due.filter(pk=pk).update(due_at=now + LOOK_SOON)
    return credited


@dataclass(frozen=True)
class Left:
    """What a final order left: `kept_micros` is what the customer paid in the end, less coupon and refunds."""

    kept_micros: int
    cost_micros: int
    floor_percent: Decimal

    def share_micros(self, percent: Decimal, *, beside_micros: int = 0) -> int:
        """Return `percent` of the margin, rounded down to 0.0001; the floor margin always stays with the shop.

        `beside_micros` is what else of it is given away: it comes first.
        """
        share = (self.kept_micros - self.cost_micros) * Fraction(percent) / 100
        room = self.kept_micros - self.cost_micros * (1 + Fraction(self.floor_percent) / 100) - beside_micros
        return max(0, round_refund(int(min(share, room) // 1)))


def not_final_before(order: Order, now: datetime) -> datetime | None:
    """Return when to look at the order again; None when nothing about it can change any more."""
    if order.status in CAME_TO_NOTHING:
        return None
    if order.status not in DELIVERED or order.flags.open().exists():
        return now + LOOK_AGAIN
    final_at = (order.finished_at or order.created_at) + timedelta(days=settings.LATE_CHANGE_DAYS)
    if now < final_at:
        return final_at
    # The days alone say nothing: the last late look is planned beyond them, and a supplier or workers that were away
    # put it off. Whoever takes it plans no other.
    if order.next_poll_at is not None:
        return max(order.next_poll_at, now) + LOOK_SOON
    if order.lost_attempts.filter(state__in=STILL_SOUGHT).exists() or _cancel_is_asked_for(order):
        return now + LOOK_AGAIN
    covered_until = _covered_until(order)
    # A while longer: what was reported in the last second is there to be seen by then.
    if covered_until is not None and now < covered_until + LOOK_SOON:
        return covered_until + LOOK_SOON
    return now + LOOK_AGAIN if _has_open_claims(order) else None


def _covered_until(order: Order) -> datetime | None:
    """Return until when lines of it, or of what replaced some, may be reported; None where there is no warranty."""
    if not order.warranty_hours:
        return None
    # By two indexes: joined to the goods, the two conditions would have every one of them read.
    ours = Order.objects.filter(Q(pk=order.pk) | Q(original=order)).values("pk")
    arrived = DeliveredGoods.objects.filter(order__in=ours).values_list("received_at", "arrivals")
    moments = [order.finished_at or order.created_at]
    for received_at, arrivals in arrived:
        moments += [received_at, *(datetime.fromisoformat(str(moment)) for _pieces, moment in arrivals)]
    return max(moments) + min(timedelta(hours=order.warranty_hours), LONGEST_WAIT)


def _has_open_claims(order: Order) -> bool:
    """Whether lines of it, or of what replaced some, wait for an answer, or a replacement may still cost something."""
    claims = GoodsClaim.objects.filter(Q(order=order) | Q(order__original=order), state=GoodsClaim.State.WAITING)
    return claims.exists() or order.replacements.open().exists()


def _cancel_is_asked_for(order: Order) -> bool:
    return order.requests.filter(kind=ServiceRequest.Kind.CANCEL, state=ServiceRequest.State.OPEN).exists()


def earned_micros(order: Order, percent: Decimal, *, beside_micros: int = 0) -> int:
    """Return `percent` of what a final order left; `beside_micros` is what else of it has been given away."""
    if order.status in CAME_TO_NOTHING or order.events.filter(code=OrderEvent.Code.LOSS).exists():
        return 0  # what upstream charged beside this order, the shop has paid
    # A charge of nothing is one that upstream has not named.
    cost_upstream_micros = order.charge_upstream_micros or order.cost_upstream_micros
    floor_percent = order.pricing.get("floor_percent", FLOOR_MARGIN.value)
    cost_micros = -(-cost_upstream_micros * order.exchange_rate_micros // MICROS)
    cost_micros += _replacements_cost_micros(order)
    left = Left(order.kept_micros, cost_micros, Decimal(floor_percent))
    return left.share_micros(percent, beside_micros=beside_micros)


def _replacements_cost_micros(order: Order) -> int:
    """What replacing goods of it cost the shop; a charge of nothing is one that a canceled replacement ended with."""
    made = order.replacements.filter(upstream_id__isnull=False)
    costs = made.values_list("charge_upstream_micros", "cost_upstream_micros", "exchange_rate_micros")
    return sum(-(-(expected if charge is None else charge) * rate // MICROS) for charge, expected, rate in costs)
