"""Sending what waits in the queue: first come first served, several at once, read ahead in handfuls."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q

from orders.attempts.windows import newest_upstream_id
from orders.fulfilment.forward import forward_one, ready
from orders.fulfilment.pauses import Gate, gate
from orders.fulfilment.thread_pool import map_in_threads
from orders.fulfilment.waiting import kinds_waiting, waiting_order, waiting_orders
from orders.lifecycle.clock import Clock
from orders.models import Order, Status
from upstream.client import Client

log = structlog.get_logger(__name__)

READ_AHEAD = 32
# An order that was read longer ago is read again: its cost, or a pause of its service, may be news.
FRESH_SECONDS = 1.0
TAKEN_SECONDS = 10.0
WOKEN_AT_ONCE = 4  # for each message, of which a worker handles several at once
# Of a message's orders so many are read together: more would have to be read again before it is their turn.
WOKEN_HANDFUL = 2 * WOKEN_AT_ONCE
_sweeping = threading.Lock()


def sweep_queue(*, client: Client, seconds: float, clock: Clock, woken_since: timedelta = timedelta(0)) -> int:
    """Forward until nothing waits or `seconds` are over; return how many orders were tried.

    One sweep at a time in each process: a second one would only wait for the same places upstream.
    """
    if not _sweeping.acquire(blocking=False):
        return 0
    try:
        return forward_waiting(client=client, clock=clock, woken_since=woken_since, seconds=seconds)
    finally:
        _sweeping.release()


def forward_orders(order_ids: Sequence[int], *, client: Client, clock: Clock) -> int:
    """Send these orders, a few at once, as far as they wait and nothing holds them back; return how many were tried.

    They are read together: one by one that would take longer than all the rest of sending them.
    """
    if gate() is Gate.CLOSED or not ready(client, now=clock()):
        return 0
    reads = _read_woken(order_ids)
    forward = partial(_forward, client=client, clock=clock)
    if len(order_ids) == 1:  # a quiet shop's usual case, over the connection that is there
        return sum(map(forward, reads))
    threads = min(WOKEN_AT_ONCE, len(order_ids))
    return sum(map_in_threads(reads, forward, threads=threads, name="woken"))


def forward_waiting(
    *,
    client: Client,
    clock: Clock,
    woken_since: timedelta = timedelta(0),
    seconds: float = 0.0,
) -> int:
    """Send the paid orders that are waiting, first come first served, several at once; return how many were tried.

    The queue is read on for `seconds`, and at least once; an order that went back into it waits for the next sweep.
    Orders younger than `woken_since` that were never tried are left to their message, those another sweep has taken
    to that one.
    """
    if gate() is Gate.CLOSED or not client.answers() or not ready(client, now=clock()):
        return 0
    queue = _Queue(client, clock, woken_since, time.monotonic() + seconds)

    forward = partial(_forward, client=client, clock=clock)
    # More than there are places upstream: while some calls are under way, others are being recorded.
    threads = min(settings.UPSTREAM_MAX_IN_FLIGHT * 5 // 4, queue.waiting())
    try:
        return sum(map_in_threads(queue.read_ahead(), forward, threads=threads, name="forward"))
    finally:
        queue.give_back()


@dataclass(frozen=True)
class _Read:
    """An order as it was read, when that was, and the newest upstream id of its kind that was known by then."""

    order: Order
    read_at: float
    newest_id: str


def _forward(read: _Read, *, client: Client, clock: Clock) -> bool:
    order, again = read.order, partial(waiting_order, read.order.pk, read.order.kind)
    try:
        return forward_one(
            lambda: order if time.monotonic() - read.read_at < FRESH_SECONDS else again(),
            client,
            clock=clock,
            newest_id=read.newest_id,
        )
    except Exception:  # an order that cannot be handled must not keep those behind it from being sent
        log.exception("forwarding_failed", order_id=order.pk)
        return False


def _read_woken(order_ids: Sequence[int]) -> Iterator[_Read]:
    """Yield those of these orders that wait, a handful read at a time when somebody is free for it."""
    for first in range(0, len(order_ids), WOKEN_HANDFUL):
        yield from _read_together(order_ids[first : first + WOKEN_HANDFUL])


def _read_together(order_ids: Sequence[int]) -> list[_Read]:
    """Return those of these orders that wait, in this order, with what is needed to send them."""
    found: dict[int, _Read] = {}
    read_at = time.monotonic()
    for kind in kinds_waiting(order_ids):
        # An id that was known a moment before the attempt bounds its window as well as the very last one.
        newest_id = newest_upstream_id(kind)
        for order in waiting_orders(order_ids, kind):
            found[order.pk] = _Read(order, read_at, newest_id)
    return [found[order_id] for order_id in order_ids if order_id in found]


class _Queue:
    """The orders that wait, in their places, taken in handfuls so that sweeps of other workers go on behind them.

    Taking is only a courtesy: what keeps an order from being sent twice is its claim.
    """

    def __init__(self, client: Client, clock: Clock, woken_since: timedelta, ends_at: float) -> None:
        self._client, self._clock, self._woken_since, self._ends_at = client, clock, woken_since, ends_at
        self._tried: set[int] = set()
        self._handfuls: list[datetime] = []

    def waiting(self) -> int:
        """Return how many wait, counted up to as many as can be sent at once."""
        return len(self._waiting()[: settings.UPSTREAM_MAX_IN_FLIGHT * 5 // 4])

    def read_ahead(self) -> Iterator[_Read]:
        """Yield each waiting order once; a few statements for a handful."""
        while True:
            how = gate()
            if how is Gate.CLOSED or not self._client.answers():
                return
            places = list(self._waiting()[: 1 if how is Gate.PROBING else READ_AHEAD])
            places = [place for place in places if place[0] not in self._tried]
            self._tried.update(order_id for order_id, _kind in places)
            yield from self._take(places)
            if not places or how is Gate.PROBING or time.monotonic() >= self._ends_at:
                return

    def give_back(self) -> None:
        """Let other sweeps have what was taken and not sent."""
        if self._handfuls:
            left = Order.objects.filter(status=Status.PAID, pk__in=self._tried)
            left.filter(taken_until__in=self._handfuls).update(taken_until=None)

    def _waiting(self) -> Any:  # of ids and kinds
        now = self._clock()
        due = Order.objects.waiting_to_send(now).filter(Q(created_at__lte=now - self._woken_since) | Q(attempts__gt=0))
        return due.filter(_untaken(now)).values_list("pk", "kind")

    def _take(self, places: Sequence[tuple[int, str]]) -> Iterator[_Read]:
        now = self._clock()
        until = now + timedelta(seconds=TAKEN_SECONDS)
        free = Order.objects.sendable().filter(_untaken(now), pk__in=[order_id for order_id, _kind in places])
        if not places or not free.update(taken_until=until):
            return
        self._handfuls.append(until)
        ours = set(Order.objects.filter(taken_until=until).values_list("pk", flat=True))
        yield from _read_together([order_id for order_id, _kind in places if order_id in ours])


def _untaken(now: datetime) -> Q:
    return Q(taken_until=None) | Q(taken_until__lt=now)
