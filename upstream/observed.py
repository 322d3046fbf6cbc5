"""What is seen of the calls: one log line each, how long they take and how they end, and how long they wait for limits.

Purchases are told of at INFO, so that the log shows where the money went; reads, of which an idle shop makes many, at
DEBUG. The numbers are of this process; storefront/metrics adds those of all processes up.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from upstream.errors import Refused, Throttled, UpstreamError, Withheld
from upstream.limits.limiter import Limiter, Slot
from upstream.transport import NothingSent, PerhapsSent

CALLS = Histogram(
    "shop_supplier_call_duration_seconds",
    "Calls of the supplier by action and outcome: answered, refused, throttled, unreadable, not_sent or no_answer.",
    ["action", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
WAITS = Histogram(
    "shop_supplier_limit_wait_seconds",
    "How long a purchase or a read waited for its place among the calls that our own limits allow.",
    ["kind"],
    buckets=(0.01, 0.1, 0.5, 1, 2.5, 5, 10),
)
WITHHELD = Counter(
    "shop_supplier_calls_withheld",
    "Calls that were not made, because the supplier does not answer or our own limits left no room.",
    ["kind"],
)
HELD_BACK_SECONDS = 1.0  # a purchase that waits for so long is held back by the limits, not by chance

logger = logging.getLogger(__name__)


@dataclass
class Seen:
    """What the caller finds out on the way: the HTTP status and the size of the body, 0 while there is none."""

    status: int = 0
    bytes: int = 0


@contextmanager
def seen(action: str, *, purchase: bool) -> Iterator[Seen]:
    """Time one call, count it by how it ends, and log one line about it."""
    call, outcome, began = Seen(), "answered", time.monotonic()
    try:
        yield call
    except Exception as error:
        outcome = _outcome(error)
        raise
    finally:
        seconds = time.monotonic() - began
        CALLS.labels(action, outcome).observe(seconds)
        told = {"action": action, "outcome": outcome, "status": call.status, "bytes": call.bytes}
        milliseconds = {"milliseconds": round(seconds * 1000)}
        logger.log(logging.INFO if purchase else logging.DEBUG, "upstream call", extra=told | milliseconds)


def take_slot(limiter: Limiter, *, purchase: bool, lease_seconds: float, patience_seconds: float) -> Slot:
    """Take the right to make one call, see `Limiter.take`; how long that took is counted. Raises Withheld."""
    kind, began = "purchase" if purchase else "read", time.monotonic()
    try:
        return limiter.take(purchase=purchase, lease_seconds=lease_seconds, patience_seconds=patience_seconds)
    except Withheld:
        WITHHELD.labels(kind).inc()
        raise
    finally:
        waited = time.monotonic() - began
        WAITS.labels(kind).observe(waited)
        if purchase and waited >= HELD_BACK_SECONDS:
            limiter.note_held_back()


def _outcome(error: Exception) -> str:
    if isinstance(error, NothingSent):
        return "not_sent"
    if isinstance(error, PerhapsSent):
        return "no_answer"
    if isinstance(error, Refused):
        return "refused"
    if isinstance(error, Throttled):
        return "throttled"
    return "unreadable" if isinstance(error, UpstreamError) else "broken"
