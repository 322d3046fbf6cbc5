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
from django.utils import timezone

from accounts.models import User
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import related_rows, supply_of
from orders.lifecycle.transitions import Change, move_order, write_events
from orders.models import UPSTREAM_OPEN, Order, OrderEvent, Status
from orders.notices.admin_notices import tell_of_flag

log = structlog.get_logger(__name__)
Code = OrderEvent.Code

KEY = "not_found"  # in Order.reconciliation
FLAGGED_AFTER = 3  # such answers in a row
FLAGGED_AGAIN = timedelta(days=1)  # after staff took it off the queue, while upstream still does not know it
IS_FORGOTTEN = Q(**{"status__in": UPSTREAM_OPEN, f"reconciliation__{KEY}__times__gte": FLAGGED_AFTER})


def reason_of(order: Order) -> str:
    """Return what the queue says of an order that upstream has forgotten."""
    return f"Upstream answers “Order not found” for its order {order.upstream_id}"


def is_forgotten(order: Order) -> bool:
    """Whether upstream has answered so often enough, and not otherwise since, that staff may decide."""
    return order.status in UPSTREAM_OPEN and record_of(order).get("times", 0) >= FLAGGED_AFTER


def record_of(order: Order) -> dict[str, Any]:
    """Return how often in a row upstream did not know the order, since when and when last; empty where it does."""
    found: dict[str, Any] = (order.reconciliation or {}).get(KEY, {})
    return found


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
    record = record_of(order)
    times = record.get("times", 0) + 1
    wait = min(settings.ORDERS_POLL_RETRY_SECONDS * 2 ** min(times - 1, 16), settings.ORDERS_POLL_MAX_SECONDS)
    log.warning("order_not_found_upstream", order_id=order.pk, upstream_id=order.upstream_id, times=times)
    record = {**record, "times": times, "since": record.get("since", now.isoformat()), "last": now.isoformat()}
    told_at = record.get("flagged")
    due = told_at is None or (not order.attention and now - datetime.fromisoformat(told_at) >= FLAGGED_AGAIN)
    flag = times >= FLAGGED_AFTER and due
    if flag:
        record["flagged"] = now.isoformat()
    with transaction.atomic():
        asked = Order.objects.filter(pk=order.pk, status=order.status, upstream_id=order.upstream_id)
        counted = asked.update(
            reconciliation={**(order.reconciliation or {}), KEY: record},
            poll_claimed_until=None,
            polled_at=now,
            next_poll_at=now + timedelta(seconds=wait),
        )
        if counted and flag:
            _flag(order, record, now)


def _flag(order: Order, record: dict[str, Any], now: datetime) -> None:
    reason = reason_of(order)
    # What the queue says of it already stays beside it.
    before = Order.objects.values_list("attention", flat=True).get(pk=order.pk)
    said = f"{reason}; {before}" if before and before != reason else reason
    Order.objects.filter(pk=order.pk).update(attention=said[:300])
    change = Change(order.pk, {}, {"reason": reason, **record})
    write_events([change], code=Code.ATTENTION, status=order.status, now=now)
    tell_of_flag(order, reason, now=now)


def note_found_again(order: Order, *, now: datetime) -> None:
    """Upstream has answered for the order: forget the count, and the flag that came of it.

    Call it inside the transaction that records the answer, with the order as it was read.
    """
    record = record_of(order)
    if not record:
        return
    reason = reason_of(order)
    row = Order.objects.select_for_update().only("attention", "reconciliation").get(pk=order.pk)
    left = {name: value for name, value in (row.reconciliation or {}).items() if name != KEY} or None
    attention = row.attention.removeprefix(reason).removeprefix("; ") if row.attention.startswith(reason) else None
    flag = {} if attention is None else {"attention": attention}
    Order.objects.filter(pk=order.pk).update(reconciliation=left, **flag)
    order.reconciliation = left
    if "flagged" in record:
        change = Change(order.pk, {}, {"found_again": order.upstream_id, **record})
        write_events([change], code=Code.ATTENTION, status=order.status, now=now)


def refund_forgotten(order_id: int, *, actor: User, now: datetime | None = None) -> None:
    """Give the money for an order back that upstream does not know any more, and close it.

    Its upstream id stays, so that the books explain whatever upstream charged. Raises WrongStatus when the order has
    ended, or when upstream has answered for it meanwhile.
    """
    now = now or timezone.now()
    order = Order.objects.select_related(*related_rows()).get(pk=order_id)
    with transaction.atomic():
        move_order(
            order_id,
            Status.CANCELED,
            code=Code.RESOLVED,
            now=now,
            where=IS_FORGOTTEN,
            actor=actor,
            evidence={"upstream_id": order.upstream_id, **record_of(order)},
            attention="",
            finished_at=now,
            next_poll_at=None,
        )
        order.status = Status.CANCELED
        refund_up_to(order, order.price_micros, why="staff", now=now, actor=actor)
