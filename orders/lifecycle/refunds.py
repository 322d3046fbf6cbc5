"""Giving money back, exactly once, with the arithmetic in the timeline."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from orders.lifecycle.cashback import take_back_cashback
from orders.lifecycle.coupons import free_coupon
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.transitions import Change, write_events
from orders.models import Order, OrderEvent, RefundReason, Status
from orders.notices.customer_notices import announce
from upstream.money import round_refund
from wallet.models import LedgerEntry
from wallet.operations import credit

# Given back as a whole they were no purchase, and cost the customer no coupon.
CAME_TO_NOTHING = (Status.FAILED, Status.CANCELED)
BY_STAFF = (RefundReason.STAFF, RefundReason.CLAIM)
OF_CLAIM = ":claim"  # what the ledger's references of refunds for claims end with


def partial_refund_micros(price_micros: int, quantity: int, remains: int) -> int:
    """Return what is given back for `remains` undelivered of `quantity`: rounded down, never above the price."""
    clamped = min(max(remains, 0), quantity)
    return round_refund(price_micros * clamped, quantity) if clamped < quantity else price_micros


def refund_up_to(
    order: Order,
    total_micros: int,
    *,
    why: RefundReason,
    now: datetime,
    remains: int | None = None,
    actor: User | None = None,
    evidence: dict[str, Any] | None = None,
) -> int:
    """Bring the order's refunds up to `total_micros` in all; return what was given back now, 0 if nothing was due.

    The guard is the amount refunded so far: whoever read an older one changes nothing. The order's row is
    updated in place. Raises accounts.power.NotYourOwnMoney where staff decides about an order of its own.
    """
    if actor is not None and why in BY_STAFF:
        refuse_own_order(actor, order)
    due_micros = min(total_micros, order.price_micros) - order.refunded_micros
    if due_micros <= 0:
        return 0
    total_after = order.refunded_micros + due_micros
    with transaction.atomic():
        unchanged = Order.objects.filter(pk=order.pk, refunded_micros=order.refunded_micros)
        if not unchanged.update(refunded_micros=total_after):
            order.refresh_from_db(fields=["refunded_micros"])
            return refund_up_to(order, total_micros, why=why, now=now, remains=remains, actor=actor, evidence=evidence)
        if total_after == order.price_micros and order.status in CAME_TO_NOTHING:
            free_coupon(order, now=now)  # before the wallet is touched, as a sale does it
        credit(
            user=order.user,
            amount_micros=due_micros,
            kind=LedgerEntry.Kind.REFUND,
            reference=f"order:{order.pk}:refund:{total_after}{OF_CLAIM if why == RefundReason.CLAIM else ''}",
            note=order.title[:300],
            actor=actor,
        )
        order.refunded_micros = total_after
        take_back_cashback(order)
        data = {
            "why": why.value,
            "refund_micros": due_micros,
            "price_micros": order.price_micros,
            "quantity": order.quantity,
            "remains": remains,
        }
        change = Change(order.pk, data, evidence or {})
        write_events([change], code=OrderEvent.Code.REFUNDED, status=order.status, now=now, actor=actor)
        if actor != order.user and why != RefundReason.CLAIM:  # who canceled it knows; an answer tells of its refund
            announce([order], now=now)
    return due_micros
