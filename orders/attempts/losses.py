"""Booking what upstream has and no customer: the shop pays for it, and the books know."""

from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from orders.attempts.windows import ABANDONED, OPEN, REFUNDED
from orders.lifecycle.transitions import Change, write_events
from orders.models import Order, OrderEvent, Status
from orders.notices.admin_notices import tell_of_late_answer

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
LATE_ANSWER = "Upstream placed order"
# Refunded without an answer: whether upstream has it is still open.
IN_QUESTION = Q(status=Status.FAILED, upstream_id=None, reconciliation__state__in=(OPEN, REFUNDED))
# The same, or sent again by staff's word without proof.
BOOKS_ARE_OPEN = Q(reconciliation__isnull=False) & (IN_QUESTION | Q(reconciliation__has_key=ABANDONED))


def book_own_loss(
    order: Order,
    upstream_id: str,
    charge_upstream_micros: int | None,
    found: dict[str, Any],
    *,
    now: datetime,
    actor: User | None = None,
    evidence: dict[str, Any] | None = None,
) -> bool:
    """Book that a refunded attempt was carried out after all; return whether the question was still open.

    The order keeps upstream's id and is asked about until its charge is final. `found` becomes its reconciliation.
    """
    try:
        with transaction.atomic():
            booked = Order.objects.filter(IN_QUESTION, pk=order.pk).update(
                upstream_id=upstream_id,
                charge_upstream_micros=charge_upstream_micros,
                next_poll_at=now,
                attention="",
                reconciliation=found,
            )
            if not booked:
                return False
            told = {**(found if evidence is None else evidence), **_loss(upstream_id, charge_upstream_micros)}
            write_events([Change(order.pk, {}, told)], code=Code.LOSS, status=order.status, now=now, actor=actor)
    except IntegrityError:
        return False  # the id has got an order of ours meanwhile
    return True


def book_second_loss(
    order: Order,
    upstream_id: str,
    charge_upstream_micros: int | None,
    *,
    key: str,
    now: datetime,
    actor: User | None = None,
    evidence: dict[str, Any] | None = None,
) -> bool:
    """Book that an attempt which staff had called not placed was carried out: upstream has the order twice.

    Return whether that was still open. `key` names the attempt. Found by the machine, it is a human's business.
    """
    with transaction.atomic():
        if not close_abandoned(order.pk, key):
            return False
        if actor is None:
            attention = f"Upstream has order {upstream_id} too: it had been placed before it was sent again"
            Order.objects.filter(pk=order.pk, attention="").update(attention=attention)
            tell_of_late_answer(order, upstream_id, now=now)
        status = Order.objects.values_list("status", flat=True).get(pk=order.pk)
        told = {**(evidence or {}), **_loss(upstream_id, charge_upstream_micros)}
        write_events([Change(order.pk, {}, told)], code=Code.LOSS, status=status, now=now, actor=actor)
    return True


def close_abandoned(order_id: int, key: str) -> bool:
    """Forget an attempt that staff had called not placed, because it is known now what became of it.

    Return whether it was still open. Call it inside the transaction that records what is known.
    """
    row = Order.objects.select_for_update().only("reconciliation").get(pk=order_id)
    found = dict(row.reconciliation or {})
    attempts = dict(found.pop(ABANDONED, {}))
    if attempts.pop(key, None) is None:
        return False
    left = {**found, ABANDONED: attempts} if attempts else found
    Order.objects.filter(pk=order_id).update(reconciliation=left or None)
    return True


def _loss(upstream_id: str, charge_upstream_micros: int | None) -> dict[str, Any]:
    return {"upstream_id": upstream_id, "charge": charge_upstream_micros}


def book_late_answer(order: Order, upstream_id: str, *, now: datetime) -> None:
    """Book the answer for an order that has been settled without it: upstream has an order more than we sell."""
    attention = f"{LATE_ANSWER} {upstream_id} after this order was settled"
    with transaction.atomic():
        # Staff may have found this very id meanwhile: then the answer only confirms it.
        if not Order.objects.filter(pk=order.pk).exclude(upstream_id=upstream_id).update(attention=attention):
            return
        # The books need to know what upstream charged for; an order that was sent again has an id of its own.
        # What it really charged is asked from now on.
        charged = {
            "upstream_id": upstream_id,
            "charge_upstream_micros": order.cost_upstream_micros,
            "next_poll_at": now,
        }
        unclaimed = not Order.objects.filter(kind=order.kind, upstream_id=upstream_id).exists()
        if unclaimed:
            # Found, so reconciliation need not look for it, nor see in it a rival of another lost order.
            found = {**(order.reconciliation or {}), "state": "placed"}
            unanswered = Order.objects.filter(pk=order.pk, upstream_id=None, status=Status.FAILED)
            unanswered.update(reconciliation=found, **charged)
        status = Order.objects.values_list("status", flat=True).get(pk=order.pk)
        write_events([Change(order.pk, {}, {"upstream_id": upstream_id})], code=Code.LOSS, status=status, now=now)
        tell_of_late_answer(order, upstream_id, now=now)
    log.warning("late_answer", order_id=order.pk, upstream_id=upstream_id)
