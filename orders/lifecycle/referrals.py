"""What a customer earns by having referred another: a share of the margin that an order really left, once it is final.

Every order of somebody who was referred, from a page or the API, gets a row when it is placed, with the share that
was promised then. The row is credited or closed with nothing when the order cannot change any more.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.batches import batches
from accounts.fast_queries.inserts import insert_row
from accounts.models import User
from accounts.preferences import REFERRAL_SHARE, REFERRED_FOR
from catalog.preferences import FLOOR_MARGIN
from orders.models import DELIVERED, GoodsClaim, LostAttempt, Order, OrderEvent, ReferralEarning, ServiceRequest, Status
from upstream.money import MICROS, round_refund
from wallet.models import LedgerEntry
from wallet.operations import credit

log = structlog.get_logger(__name__)
State = ReferralEarning.State
CAME_TO_NOTHING = (Status.FAILED, Status.CANCELED)
LOOK_AGAIN = timedelta(days=1)
LOOK_SOON = timedelta(hours=1)
# Attempts of which upstream may yet show an order: a second one is the shop's loss, and nothing has been earned.
STILL_SOUGHT = (LostAttempt.State.LOST, LostAttempt.State.SOUGHT, LostAttempt.State.ABANDONED)


def open_earning(order: Order) -> None:
    """Write down that an order, just placed, may earn its customer's referrer something; part of the sale."""
    user = order.user
    if user.referred_by_id is None or not REFERRAL_SHARE.value:
        return
    if order.created_at >= user.date_joined + REFERRED_FOR.value:
        return
    insert_row(
        ReferralEarning(
            order=order,
            referrer_id=user.referred_by_id,
            percent=REFERRAL_SHARE.value,
            due_at=order.created_at + timedelta(days=settings.LATE_CHANGE_DAYS),
            created_at=order.created_at,
        )
    )


def share_micros(*, kept_micros: int, cost_micros: int, percent: Decimal, floor_percent: Decimal) -> int:
    """Return `percent` of what an order left, rounded down to 0.0001; the floor margin always stays with the shop.

    `kept_micros` is what the customer paid in the end: less the coupon's discount, less refunds.
    """
    floor_micros = cost_micros * (1 + Fraction(floor_percent) / 100)
    share = (kept_micros - cost_micros) * Fraction(percent) / 100
    return max(0, round_refund(int(min(share, kept_micros - floor_micros) // 1)))


def credit_referrals(*, now: datetime) -> int:
    """Credit what is due and final, close what earned nothing; return how many were credited.

    One that cannot be settled is logged and looked at again later, behind the others. What is still due when the time
    of a round is over is the next round's.
    """
    due = ReferralEarning.objects.filter(state=State.WAITING, due_at__lte=now).order_by("due_at", "pk")
    credited = 0
    for ids in batches(due):
        for pk in ids:
            try:
                credited += _settle(pk, now)
            except Exception:  # whatever is wrong with one of them, the others have been earned
                log.exception("referral_not_settled", earning_id=pk)
                due.filter(pk=pk).update(due_at=now + LOOK_SOON)
    return credited


def _settle(pk: int, now: datetime) -> bool:
    """Credit or close one earning, or look again later; of two workers one finds it waiting."""
    waiting = ReferralEarning.objects.filter(pk=pk, state=State.WAITING)
    with transaction.atomic():
        earning = ReferralEarning.objects.select_related("referrer").get(pk=pk)
        # Held, so that no refund slips in between the sum and the credit.
        order = Order.objects.select_for_update().get(pk=earning.order_id)
        later = _not_final_before(order, now)
        if later is not None:
            waiting.update(due_at=later)
            return False
        amount_micros = _earned_micros(order, earning.percent)
        if not amount_micros:
            waiting.update(state=State.VOID, closed_at=now)
            return False
        if not waiting.update(state=State.CREDITED, amount_micros=amount_micros, closed_at=now):
            return False
        # No note: whose order it was is nobody's business.
        credit(
            user=earning.referrer,
            amount_micros=amount_micros,
            kind=LedgerEntry.Kind.REFERRAL,
            reference=f"order:{order.pk}:referral",
        )
        return True


def _not_final_before(order: Order, now: datetime) -> datetime | None:
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
    return now + LOOK_AGAIN if _has_open_claims(order) else None


def _has_open_claims(order: Order) -> bool:
    """Whether lines of it, or of what replaced some, wait for an answer, or a replacement may still cost something."""
    claims = GoodsClaim.objects.filter(Q(order=order) | Q(order__original=order), state=GoodsClaim.State.WAITING)
    return claims.exists() or order.replacements.open().exists()


def _cancel_is_asked_for(order: Order) -> bool:
    return order.requests.filter(kind=ServiceRequest.Kind.CANCEL, state=ServiceRequest.State.OPEN).exists()


def _earned_micros(order: Order, percent: Decimal) -> int:
    if order.status in CAME_TO_NOTHING or order.events.filter(code=OrderEvent.Code.LOSS).exists():
        return 0  # what upstream charged beside this order, the shop has paid
    # A charge of nothing is one that upstream has not named.
    cost_upstream_micros = order.charge_upstream_micros or order.cost_upstream_micros
    floor_percent = order.pricing.get("floor_percent", FLOOR_MARGIN.value)
    cost_micros = -(-cost_upstream_micros * order.exchange_rate_micros // MICROS)
    return share_micros(
        kept_micros=order.kept_micros,
        cost_micros=cost_micros + _replacements_cost_micros(order),
        percent=percent,
        floor_percent=Decimal(floor_percent),
    )


def _replacements_cost_micros(order: Order) -> int:
    """What replacing goods of it cost the shop; a charge of nothing is one that a canceled replacement ended with."""
    made = order.replacements.filter(upstream_id__isnull=False)
    costs = made.values_list("charge_upstream_micros", "cost_upstream_micros", "exchange_rate_micros")
    return sum(-(-(expected if charge is None else charge) * rate // MICROS) for charge, expected, rate in costs)


def forgo_earnings(user: User, *, now: datetime) -> int:
    """Close with nothing what has not been credited yet: the referrer's account goes. Return how many."""
    return ReferralEarning.objects.filter(referrer=user, state=State.WAITING).update(state=State.VOID, closed_at=now)
