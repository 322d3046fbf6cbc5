"""Settling an attempt whose answer never came, once it is certain: adopted, the shop's loss, or not placed."""

from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from orders.attempts.answers import NOT_LOOKED_AT, State, clear_answered, settle_attempt, settle_waiting
from orders.attempts.losses import book_own_loss, book_second_loss
from orders.lifecycle.attention import OF_WAITING, clear_flags
from orders.lifecycle.holds import NOT_HELD
from orders.lifecycle.supply import Placed, Report, supply_of
from orders.lifecycle.transitions import Change, WrongStatus, move_order, write_events
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import LostAttempt, Order, OrderEvent, Status

log = structlog.get_logger(__name__)
Code = OrderEvent.Code


def settle_placed(attempt: LostAttempt, upstream_id: str, report: Report, found: dict[str, Any], now: datetime) -> bool:
    """It was placed: adopt the id, or book the shop's loss where the buyer was refunded or the order was sent again.

    Return whether that was still open.
    """
    charge = report.charge_upstream_micros
    if attempt.state in LostAttempt.IN_QUESTION:
        return book_own_loss(attempt, upstream_id, charge, evidence=found, now=now)
    if _adopt(attempt, upstream_id, found, now):
        return True
    if attempt.state == State.ABANDONED:
        return book_second_loss(attempt, upstream_id, charge, evidence=found, now=now)
    return False


def settle_absent(attempt: LostAttempt, found: dict[str, Any], now: datetime) -> bool:
    """It was not placed: send the order again, or close the question where nobody waits for it any more."""
    if attempt.state == State.LOST:
        return _send_again(attempt, found, now)
    told = {"proved_absent": attempt.sent_at.isoformat(), **found} if attempt.state == State.ABANDONED else found
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=attempt.order_id)
        if not settle_attempt(attempt, State.ABSENT, now=now, evidence=found):
            return False
        if attempt.state in LostAttempt.IN_QUESTION:
            clear_flags([order.pk], OF_WAITING, now=now)
        write_events([Change(order.pk, {}, told)], code=Code.ATTENTION, status=order.status, now=now)
    return True


def _adopt(attempt: LostAttempt, upstream_id: str, found: dict[str, Any], now: datetime) -> bool:
    """Follow the order under this id, as long as it waits, be it unknown or to be sent again; return whether it did.

    Another attempt of it that still waits for its answer is looked for on: should upstream have that as well, the order
    was bought twice.
    """
    order = Order.objects.get(pk=attempt.order_id)
    unknown = attempt.state == State.LOST or order.status == Status.UNKNOWN
    as_read = {"sent_at": attempt.sent_at} if attempt.state == State.LOST else {}
    kept = {} if unknown else {"sent_at": attempt.sent_at, **NOT_HELD}
    order.status = Status.PENDING
    try:
        with transaction.atomic():
            move_order(
                order.pk,
                Status.PENDING,
                code=Code.ACCEPTED,
                now=now,
                where=Q(status=Status.UNKNOWN if unknown else Status.PAID, **as_read),
                evidence={**found, "upstream_id": upstream_id},
                upstream_id=upstream_id,
                next_poll_at=now,
                **kept,
            )
            if not settle_attempt(attempt, State.ADOPTED, now=now, upstream_id=upstream_id, evidence=found):
                raise WrongStatus(f"an attempt of order {order.pk} has been looked into meanwhile")
            settle_waiting(order.pk, State.ABANDONED, now=now, **NOT_LOOKED_AT)
            clear_answered(order.pk, now=now)
            supply_of(order).record_placed(order, Placed(upstream_id), now)
    except (WrongStatus, IntegrityError) as error:
        log.warning("adoption_outrun", order_id=order.pk, upstream_id=upstream_id, error=str(error))
        return False
    log.info("order_found", **order.log_ids | {"upstream_id": upstream_id})
    return True


def _send_again(attempt: LostAttempt, found: dict[str, Any], now: datetime) -> bool:
    order_id = attempt.order_id
    try:
        with transaction.atomic():
            move_order(
                order_id,
                Status.PAID,
                code=Code.NOT_SENT,
                now=now,
                where=Q(status=Status.UNKNOWN, sent_at=attempt.sent_at),
                evidence=found,
                not_before=None,
            )
            settle_waiting(order_id, State.ABSENT, now=now, evidence=found)
            wake_forwarder(order_id)
    except WrongStatus:
        return False
    return True
