"""Cashback: a share of the margin that an order really left goes to its customer's wallet, once the order is final.

The share is that of the customer's group when the order was placed; the order notes it, so that a refund of one that
earns nothing asks nothing. It is never more than what the floor leaves after what a referral earned of the same order,
is credited once, and goes back in proportion when the order is refunded afterwards. Staff earns none.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from accounts.fast_queries.inserts import insert_row
from accounts.models import User
from accounts.preferences import LEVELS_ON
from orders.lifecycle.final_margin import earned_micros, not_final_before, settle_due
from orders.models import CashbackEarning, Order, ReferralEarning
from wallet.models import LedgerEntry
from wallet.operations import credit
from wallet.operations.reversals import take_back_earning

State = CashbackEarning.State
PROMISED = "cashback_percent"  # in what an order notes of its price


def promise_cashback(order: Order) -> None:
    """Note on an order that is about to be saved what share of its margin its customer gets."""
    percent = _percent_for(order.user)
    if percent:
        order.pricing = {**order.pricing, PROMISED: str(percent)}


def open_cashback(order: Order) -> None:
    """Write down that an order, just placed, may earn its customer what was promised; part of the sale."""
    if PROMISED in order.pricing:
        insert_row(
            CashbackEarning(
                order=order,
                user_id=order.user_id,
                percent=Decimal(order.pricing[PROMISED]),
                due_at=order.created_at + timedelta(days=settings.LATE_CHANGE_DAYS),
                created_at=order.created_at,
            )
        )


def credit_cashback(*, now: datetime) -> int:
    """Credit what is due and final, close what earned nothing; return how many were credited."""
    waiting = CashbackEarning.objects.filter(state=State.WAITING)
    return settle_due(waiting, _settle, unsettled="cashback_not_settled", now=now)


def _settle(pk: int, now: datetime) -> bool:
    """Credit or close one, or look again later; of two workers one finds it waiting."""
    waiting = CashbackEarning.objects.filter(pk=pk, state=State.WAITING)
    with transaction.atomic():
        earning = CashbackEarning.objects.select_related("user").get(pk=pk)
        # Held, so that no refund slips in between the sum and the credit.
        order = Order.objects.select_for_update().get(pk=earning.order_id)
        later = not_final_before(order, now)
        if later is not None:
            waiting.update(due_at=later)
            return False
        amount_micros = earned_micros(order, earning.percent, beside_micros=_referral_micros(order))
        if not amount_micros:
            waiting.update(state=State.VOID, closed_at=now)
            return False
        values = {"amount_micros": amount_micros, "kept_micros": order.kept_micros}
        if not waiting.update(state=State.CREDITED, closed_at=now, **values):
            return False
        credit(
            user=earning.user,
            amount_micros=amount_micros,
            kind=LedgerEntry.Kind.CASHBACK,
            reference=f"order:{order.pk}:cashback",
            note=order.title[:300],
        )
        return True


def take_back_cashback(order: Order) -> None:
    """Take back the share of what was credited that a refund has made undue; part of the refund, which holds the order.

    Of what is kept the customer keeps the same share, rounded down, so it is never more than the refund brings.
    """
    if PROMISED not in order.pricing:
        return
    earning = CashbackEarning.objects.select_for_update().filter(order=order.pk, state=State.CREDITED).first()
    if earning is None:
        return
    due_micros = earning.amount_micros * order.kept_micros // earning.kept_micros
    back_micros = earning.amount_micros - earning.taken_back_micros - due_micros
    if back_micros <= 0:
        return
    owed_micros = take_back_earning(
        order.user,
        back_micros,
        kind=LedgerEntry.Kind.CASHBACK,
        reference=f"order:{order.pk}:cashback:back:{order.refunded_micros}",
        note=order.title[:300],
    )
    CashbackEarning.objects.filter(pk=earning.pk).update(
        taken_back_micros=earning.taken_back_micros + back_micros, owed_micros=earning.owed_micros + owed_micros
    )


def forgo_cashback(user: User, *, now: datetime) -> int:
    """Close with nothing what has not been credited yet: the account goes. Return how many."""
    return CashbackEarning.objects.filter(user=user, state=State.WAITING).update(state=State.VOID, closed_at=now)


def _percent_for(user: User) -> Decimal:
    if user.group_id is None or user.is_staff or not LEVELS_ON.value or user.group is None:
        return Decimal(0)
    return user.group.cashback_percent


def _referral_micros(order: Order) -> int:
    """Return what a referral earned of this order, or is going to earn: that comes first."""
    referral = ReferralEarning.objects.filter(order=order.pk).first()
    if referral is None or referral.state == ReferralEarning.State.VOID:
        return 0
    if referral.state == ReferralEarning.State.CREDITED:
        return referral.amount_micros
    return earned_micros(order, referral.percent)
