"""Orders that upstream once gave an id to and now answers "Order not found" for.

One such answer is a slip; a few in a row are a human's business. Nothing here changes a status or gives money back by
itself: asked ever more seldom, the order waits until upstream knows it again or staff decides.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from orders.lifecycle.attention import Flag, clear_flags, raise_flag, tell_of
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import related_rows, supply_of
from orders.lifecycle.transitions import Change, move_order, write_events
from orders.models import UPSTREAM_OPEN, Order, OrderEvent, RefundReason, Status
from orders.preferences import POLL_LATEST

log = structlog.get_logger(__name__)
Code = OrderEvent.Code

FLAGGED_AFTER = 3  # such answers in a row
FLAGGED_AGAIN = timedelta(days=1)  # after staff took it off the queue, while upstream still does not know it
IS_FORGOTTEN = Q(status__in=UPSTREAM_OPEN, not_found_times__gte=FLAGGED_AFTER)
KNOWN_AGAIN: dict[str, Any] = {
    "not_found_times": 0,
    "not_found_since": None,
    "not_found_at": None,
    "not_found_flagged_at": None,
}


def is_forgotten(order: Order) -> bool:
    """Whether upstream has answered so often enough, and not otherwise since, that staff may decide."""
    return order.status in UPSTREAM_OPEN and order.not_found_times >= FLAGGED_AFTER


def note_not_found(orders: Iterable[Order], *, now: datetime) -> None:
    """Record that upstream answered "Order not found" for these orders, which it gave us ids for.

    Open ones are counted and, in the end, flagged. Of finished ones upstream may well forget: they keep their pace.
    """
    finished: dict[datetime | None, list[int]] = defaultdict(list)
    for order in orders:
        if order.status not in UPSTREAM_OPEN:
            finished[supply_of(order).next_poll(order, now)].append(order.pk)
            continue
        try:
            _count(order, now)
        except Exception:  # one order that cannot be recorded must not keep the others from it
            log.exception("poll_not_recorded", order_id=order.pk)
    for next_poll_at, order_ids in finished.items():
        asked = Order.objects.filter(pk__in=order_ids).exclude(status__in=UPSTREAM_OPEN)
        asked.update(poll_claimed_until=None, polled_at=now, next_poll_at=next_poll_at)


def _count(order: Order, now: datetime) -> None:
    times = order.not_found_times + 1
    wait = min(settings.ORDERS_POLL_RETRY_SECONDS * 2 ** min(times - 1, 16), POLL_LATEST.value.total_seconds())
    log.warning("order_not_found_upstream", order_id=order.pk, upstream_id=order.upstream_id, times=times)
    flagged = times >= FLAGGED_AFTER and _is_due(order, now)
    counted = {
        "not_found_times": times,
        "not_found_since": order.not_found_since or now,
        "not_found_at": now,
        "not_found_flagged_at": now if flagged else order.not_found_flagged_at,
    }
    with transaction.atomic():
        asked = Order.objects.filter(pk=order.pk, status=order.status, upstream_id=order.upstream_id)
        next_poll_at = now + timedelta(seconds=wait)
        if not asked.update(poll_claimed_until=None, polled_at=now, next_poll_at=next_poll_at, **counted):
            return
        if flagged:
            for name, value in counted.items():
                setattr(order, name, value)
            _flag(order, now)


def _is_due(order: Order, now: datetime) -> bool:
    """Whether staff is to be told: the first time, and a day later if they took it off the queue."""
    if order.not_found_flagged_at is None:
        return True
    return (
        now - order.not_found_flagged_at >= FLAGGED_AGAIN
        and not order.flags.open().filter(code=Flag.NOT_FOUND).exists()
    )


def _flag(order: Order, now: datetime) -> None:
    details = {"upstream_id": order.upstream_id}
    raise_flag(order.pk, Flag.NOT_FOUND, now=now, **details)
    change = Change(order.pk, {}, {"code": Flag.NOT_FOUND, "details": details, **_counted(order)})
    write_events([change], code=Code.ATTENTION, status=order.status, now=now)
    tell_of(order, Flag.NOT_FOUND, details, now=now)


def note_found_again(order: Order, *, now: datetime) -> None:
    """Upstream has answered for the order: forget the count, and the flag that came of it.

    Call it inside the transaction that records the answer, with the order as it was read.
    """
    if not order.not_found_times:
        return
    Order.objects.filter(pk=order.pk).update(**KNOWN_AGAIN)
    clear_flags([order.pk], [Flag.NOT_FOUND], now=now)
    if order.not_found_flagged_at is not None:
        change = Change(order.pk, {}, {"found_again": order.upstream_id, **_counted(order)})
        write_events([change], code=Code.ATTENTION, status=order.status, now=now)
    for name, value in KNOWN_AGAIN.items():
        setattr(order, name, value)


def _counted(order: Order) -> dict[str, Any]:
    """Return the count as the timeline keeps it."""
    since, last = order.not_found_since, order.not_found_at
    return {
        "times": order.not_found_times,
        "since": since and since.isoformat(),
        "last": last and last.isoformat(),
    }


def refund_forgotten(order_id: int, *, actor: User, now: datetime) -> None:
    """Give the money for an order back that upstream does not know any more, and close it.

    Its upstream id stays, so that the books explain whatever upstream charged. Raises WrongStatus when the order has
    ended, or when upstream has answered for it meanwhile; NotYourOwnMoney.
    """
    order = Order.objects.select_related(*related_rows()).get(pk=order_id)
    refuse_own_order(actor, order)
    with transaction.atomic():
        move_order(
            order_id,
            Status.CANCELED,
            code=Code.RESOLVED,
            now=now,
            where=IS_FORGOTTEN,
            actor=actor,
            evidence={"upstream_id": order.upstream_id, **_counted(order)},
            finished_at=now,
            next_poll_at=None,
        )
        clear_flags([order_id], now=now, actor=actor)
        order.status = Status.CANCELED
        refund_up_to(order, order.price_micros, why=RefundReason.STAFF, now=now, actor=actor)
