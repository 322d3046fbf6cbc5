"""Sending what waits in the queue: first come first served, several at once, read ahead in handfuls."""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from orders.crew import work_off
from orders.models import Order
from orders.operations.forwarding import forward_one, ready, waiting_order
from orders.operations.pauses import Gate, gate
from orders.supply import related_rows
from upstream.client import Client

log = structlog.get_logger(__name__)

SWEEP_LIMIT = 200
READ_AHEAD = 32
# An order that was read longer ago is read again: its cost, or a pause of its service, may be news.
FRESH_SECONDS = 1.0
_sweeping = threading.Lock()


def sweep_queue(*, client: Client, seconds: float, nudged_since: timedelta = timedelta(0)) -> int:
    """Forward until nothing waits or `seconds` are over; return how many orders were tried.

    One sweep at a time in each process: a second one would only wait for the same places upstream.
    """
    if not _sweeping.acquire(blocking=False):
        return 0
    try:
        ends_at, tried = time.monotonic() + seconds, 0
        while time.monotonic() < ends_at:
            now_tried = forward_waiting(client=client, nudged_since=nudged_since)
            if not now_tried:
                break
            tried += now_tried
        return tried
    finally:
        _sweeping.release()


def forward_waiting(*, client: Client, now: datetime | None = None, nudged_since: timedelta = timedelta(0)) -> int:
    """Send the paid orders that are waiting, first come first served, several at once; return how many were tried.

    Orders younger than `nudged_since` that were never tried are left to their nudge.
    """
    now = now or timezone.now()
    how = gate()
    if how is Gate.CLOSED or not client.answers() or not ready(client):
        return 0
    waiting = Order.objects.waiting_to_send(now).filter(Q(created_at__lte=now - nudged_since) | Q(attempts__gt=0))
    queue = list(waiting.values_list("pk", "kind")[: 1 if how is Gate.PROBING else SWEEP_LIMIT])

    def forward(read: tuple[Order, float]) -> bool:
        order, read_at = read
        again = partial(waiting_order, order.pk, order.kind)
        try:
            return forward_one(lambda: order if time.monotonic() - read_at < FRESH_SECONDS else again(), client)
        except Exception:  # an order that cannot be handled must not keep those behind it from being sent
            log.exception("forwarding_failed", order_id=order.pk)
            return False

    threads = min(settings.UPSTREAM_MAX_IN_FLIGHT, len(queue))
    return sum(work_off(_read_ahead(queue), forward, threads=threads, name="forward"))


def _read_ahead(queue: Sequence[tuple[int, str]]) -> Iterator[tuple[Order, float]]:
    """Yield the orders that still wait, in their places, and when each was read: a statement for a handful."""
    for start in range(0, len(queue), READ_AHEAD):
        handful = queue[start : start + READ_AHEAD]
        read_at, found = time.monotonic(), dict[int, Order]()
        for kind in {kind for _order_id, kind in handful}:
            orders = Order.objects.sendable().filter(pk__in=[order_id for order_id, its in handful if its == kind])
            found |= {order.pk: order for order in orders.select_related(*related_rows(kind))}
        for order_id, _kind in handful:
            if order_id in found:
                yield found[order_id], read_at
