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
from orders.models import Order, Status
from orders.operations.forwarding import forward_one, forward_order, ready, waiting_order
from orders.operations.pauses import Gate, gate
from orders.supply import related_rows
from upstream.client import Client

log = structlog.get_logger(__name__)

SWEEP_LIMIT = 200
READ_AHEAD = 32
# An order that was read longer ago is read again: its cost, or a pause of its service, may be news.
FRESH_SECONDS = 1.0
TAKEN_SECONDS = 10.0
NUDGED_AT_ONCE = 4  # for each message, of which a worker handles several at once
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


def forward_orders(order_ids: Sequence[int], *, client: Client) -> int:
    """Send these orders, a few at once, as far as they wait and nothing holds them back; return how many were tried."""
    if len(order_ids) == 1:  # the usual case, over the connection that is there
        return int(forward_order(order_ids[0], client=client))

    def forward(order_id: int) -> bool:
        try:
            return forward_order(order_id, client=client)
        except Exception:  # as below
            log.exception("forwarding_failed", order_id=order_id)
            return False

    threads = min(NUDGED_AT_ONCE, len(order_ids))
    return sum(work_off(order_ids, forward, threads=threads, name="nudged"))


def forward_waiting(*, client: Client, now: datetime | None = None, nudged_since: timedelta = timedelta(0)) -> int:
    """Send the paid orders that are waiting, first come first served, several at once; return how many were tried.

    Orders younger than `nudged_since` that were never tried are left to their nudge, those that another sweep has taken
    to that one.
    """
    now = now or timezone.now()
    how = gate()
    if how is Gate.CLOSED or not client.answers() or not ready(client):
        return 0
    waiting = Order.objects.waiting_to_send(now).filter(Q(created_at__lte=now - nudged_since) | Q(attempts__gt=0))
    queue = waiting.filter(_untaken(now)).values_list("pk", "kind")
    places = list(queue[: 1 if how is Gate.PROBING else SWEEP_LIMIT])

    def forward(read: tuple[Order, float]) -> bool:
        order, read_at = read
        again = partial(waiting_order, order.pk, order.kind)
        try:
            return forward_one(lambda: order if time.monotonic() - read_at < FRESH_SECONDS else again(), client)
        except Exception:  # an order that cannot be handled must not keep those behind it from being sent
            log.exception("forwarding_failed", order_id=order.pk)
            return False

    # More than there are places upstream: while some calls are under way, others are being recorded.
    threads = min(settings.UPSTREAM_MAX_IN_FLIGHT * 5 // 4, len(places))
    handfuls: list[datetime] = []
    try:
        return sum(work_off(_read_ahead(places, handfuls), forward, threads=threads, name="forward"))
    finally:
        if handfuls:
            left = Order.objects.filter(status=Status.PAID, pk__in=[order_id for order_id, _kind in places])
            left.filter(poll_claimed_until__in=handfuls).update(poll_claimed_until=None)


def _untaken(now: datetime) -> Q:
    return Q(poll_claimed_until=None) | Q(poll_claimed_until__lt=now)


def _read_ahead(places: Sequence[tuple[int, str]], handfuls: list[datetime]) -> Iterator[tuple[Order, float]]:
    """Yield the orders that still wait, in their places, and when each was read; two statements for a handful.

    A handful is taken for a moment, so that sweeps of other workers go on behind it instead of trying the same orders.
    It is only a courtesy, in the column that keeps polls apart later: what keeps an order from being sent twice is its
    claim.
    """
    for start in range(0, len(places), READ_AHEAD):
        handful = places[start : start + READ_AHEAD]
        read_at, now = time.monotonic(), timezone.now()
        until = now + timedelta(seconds=TAKEN_SECONDS)
        handfuls.append(until)
        free = Order.objects.sendable().filter(_untaken(now), pk__in=[order_id for order_id, _kind in handful])
        if not free.update(poll_claimed_until=until):
            continue
        found: dict[int, Order] = {}
        for kind in {kind for _order_id, kind in handful}:
            ours = Order.objects.filter(
                pk__in=[order_id for order_id, its in handful if its == kind], poll_claimed_until=until
            )
            found |= {order.pk: order for order in ours.select_related(*related_rows(kind))}
        for order_id, _kind in handful:
            if order_id in found:
                yield found[order_id], read_at
