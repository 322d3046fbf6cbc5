"""A nudge makes a worker look at once; losing it costs seconds, never an order: the sweep finds the row."""

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

import structlog
from django.core.cache import cache
from django.db import transaction

log = structlog.get_logger(__name__)
GATHER_SECONDS = 3  # what happens within this time reaches a customer in one mail
MOST_AT_ONCE = 50
# After a message the next one waits this long, so that a busy shop sends few; the first after a pause leaves at once.
REST_SECONDS = 0.05
# A broker that is away is asked this seldom: each attempt takes until its time-out, and the sweep does the work.
PAUSE_SECONDS = 5
OUTBOX = 0  # in place of an order's id: there are notices to send


class Messenger:
    """A thread of its own in each process tells the broker, so that no customer waits for it.

    What gathers while a message is on its way goes to `send` with the next one. Started at the first need, so that a
    server that forks has one in every child.
    """

    def __init__(self, send: Callable[[list[int]], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._started_in = 0
        self._order_ids: SimpleQueue[int] = SimpleQueue()

    def tell(self, order_id: int) -> None:
        """Let a worker hear of this order, or of the OUTBOX, soon; returns at once and raises nothing."""
        if self._started_in != os.getpid():
            self._start()
        self._order_ids.put(order_id)

    def _start(self) -> None:
        with self._lock:
            if self._started_in == os.getpid():
                return
            self._order_ids = SimpleQueue()
            threading.Thread(target=self._run, args=[self._order_ids], name="nudge", daemon=True).start()
            self._started_in = os.getpid()

    def _run(self, order_ids: SimpleQueue[int]) -> None:
        while True:
            gathered = [order_ids.get()]
            while len(gathered) < MOST_AT_ONCE and not order_ids.empty():
                gathered.append(order_ids.get())
            try:
                self._send(gathered)
                time.sleep(REST_SECONDS)
            except Exception as error:  # a broker fails in many ways, and none of them may end this thread
                log.warning("nudge_lost", order_ids=gathered, error=str(error))
                time.sleep(PAUSE_SECONDS)
                while not order_ids.empty():  # by now the sweep has seen them
                    order_ids.get()


def _send(gathered: list[int]) -> None:
    from orders.tasks import forward_new_orders, send_notices  # leaf: tasks import the operations that nudge

    order_ids = [order_id for order_id in gathered if order_id != OUTBOX]
    if order_ids:
        forward_new_orders.apply_async(kwargs={"order_ids": order_ids}, retry=False, expires=60)
    # One message, of all processes, for everything that happens while it waits.
    if len(order_ids) < len(gathered) and cache.add("notices_nudged", 1, timeout=GATHER_SECONDS):
        send_notices.apply_async(retry=False, countdown=GATHER_SECONDS, expires=60)


_messenger = Messenger(_send)


def nudge(order_id: int) -> None:
    """Ask a worker to forward this order as soon as the transaction has committed."""
    transaction.on_commit(partial(_messenger.tell, order_id))


def nudge_notices() -> None:
    """Ask a worker to send what is in the outbox, a moment after the transaction has committed."""
    transaction.on_commit(partial(_messenger.tell, OUTBOX))
