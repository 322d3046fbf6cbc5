"""A nudge makes a worker look at once; losing it costs seconds, never an order: the sweep finds the row."""

from functools import partial

import structlog
from django.core.cache import cache
from django.db import transaction

log = structlog.get_logger(__name__)
GATHER_SECONDS = 3  # what happens within this time reaches a customer in one mail


def nudge(order_id: int) -> None:
    """Ask a worker to forward this order as soon as the transaction has committed."""
    transaction.on_commit(partial(_send, order_id))


def _send(order_id: int) -> None:
    from orders.tasks import forward_order  # leaf: tasks import the operations that nudge

    try:
        # No retry: the customer's page must not wait for a broker that is down.
        forward_order.apply_async(kwargs={"order_id": order_id}, retry=False, expires=60)
    except Exception as error:  # a broker fails in many ways, and none of them may look like a failed order
        log.warning("nudge_lost", order_id=order_id, error=str(error))


def nudge_notices() -> None:
    """Ask a worker to send what is in the outbox, a moment after the transaction has committed."""
    transaction.on_commit(_send_notices)


def _send_notices() -> None:
    from orders.tasks import send_notices  # leaf: see above

    # One message for everything that happens while it waits. Without a cache the sweep does it.
    if not cache.add("notices_nudged", 1, timeout=GATHER_SECONDS):
        return
    try:
        send_notices.apply_async(retry=False, countdown=GATHER_SECONDS, expires=60)
    except Exception as error:  # see above
        log.warning("nudge_lost", error=str(error))
