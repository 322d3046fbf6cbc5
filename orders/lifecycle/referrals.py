"""What a customer earns by having referred another: a share of the margin that an order really left, once it is final.

Every order of somebody who was referred, from a page or the API, gets a row when it is placed, with the share that
was promised then. The row is credited or closed with nothing when the order cannot change any more.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.fast_queries.inserts import insert_row
from accounts.models import User
from accounts.preferences import REFERRAL_SHARE, REFERRED_FOR
from orders.lifecycle.final_margin import earned_micros, not_final_before, settle_due
from orders.models import Order, ReferralEarning
from wallet.models import LedgerEntry
from wallet.operations import credit

State = ReferralEarning.State


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


def credit_referrals(*, now: datetime) -> int:
    """Credit what is due and final, close what earned nothing; return how many were credited."""
    waiting = ReferralEarning.objects.filter(state=State.WAITING)
    return settle_due(waiting, _settle, unsettled="referral_not_settled", now=now)


def _settle(pk: int, now: datetime) -> bool:
    """Credit or close one earning, or look again later; of two workers one finds it waiting."""
    waiting = ReferralEarning.objects.filter(pk=pk, state=State.WAITING)
    with transaction.atomic():
        earning = ReferralEarning.objects.select_related("referrer").get(pk=pk)
        # Held, so that no refund slips in between the sum and the credit.
        order = Order.objects.select_for_update().get(pk=earning.order_id)
        later = not_final_before(order, now)
        if later is not None:
            waiting.update(due_at=later)
            return False
        amount_micros = earned_micros(order, earning.percent)
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


def forgo_earnings(user: User, *, now: datetime) -> int:
    """Close with nothing what has not been credited yet: the referrer's account goes. Return how many."""
    return ReferralEarning.objects.filter(referrer=user, state=State.WAITING).update(state=State.VOID, closed_at=now)
