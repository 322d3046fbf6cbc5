"""Where a lost upstream id can lie: after the ids we had before the attempt, before those of orders sent well after.

Upstream's ids ascend, and an attempt is carried out within the settling time or never. All ids here are whole numbers
of one kind of order: services and numbers may be counted apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from orders.models import Order, Status

RECENT_ORDERS = 64
OPEN, REFUNDED = "open", "refunded"  # reconciliation states of attempts whose order has been settled without an answer


def whole(upstream_id: str | None) -> int | None:
    """Return an upstream id as a number, or None when it is not one."""
    return int(upstream_id) if upstream_id and upstream_id.isascii() and upstream_id.isdigit() else None


def newest_upstream_id(kind: str) -> str:
    """Return the highest of the ids that recently answered orders of this kind, or "" when there is none.

    A lower one than the true newest would only widen a window, so looking at the last few orders is enough.
    """
    recent = Order.objects.filter(kind=kind, upstream_id__isnull=False).order_by("-id")[:RECENT_ORDERS]
    numbers = [number for text in recent.values_list("upstream_id", flat=True) if (number := whole(text)) is not None]
    return str(max(numbers)) if numbers else ""


@dataclass(frozen=True)
class Window:
    """The ids `first`..`last` in which a lost attempt's id must lie; `last` None: not closed yet.

    `first` is None when we had no id before the attempt: such a window has no beginning and is never scanned.
    """

    first: int | None
    last: int | None
    closed_by: int | None = None  # our order that closed it; None when it is open or was closed by hand

    @property
    def width(self) -> int | None:
        """How many ids the window holds; None while that is not known."""
        return None if self.first is None or self.last is None else max(self.last - self.first + 1, 0)

    def ids(self) -> range:
        """Return every id of a closed window. Raises ValueError for one without a beginning or an end."""
        if self.first is None or self.last is None:
            raise ValueError("only a closed window has a list of ids")
        return range(self.first, self.last + 1)

    def may_hold(self, number: int) -> bool:
        """Whether this id could lie in the window; what is not known counts as lying in it."""
        return (self.first is None or self.first <= number) and (self.last is None or number <= self.last)

    def overlaps(self, other: "Window") -> bool:
        """Whether one id could lie in both; what is not known counts as overlapping."""
        starts_after = self.first is not None and other.last is not None and self.first > other.last
        ends_before = self.last is not None and other.first is not None and self.last < other.first
        return not (starts_after or ends_before)


def window_of(order: Order) -> Window:
    """Return the window of a lost attempt as it is known now."""
    before = whole(order.last_upstream_id_before)
    first = None if before is None else before + 1
    by_hand = (order.reconciliation or {}).get("closed_by_hand_at")
    if order.window_closed_at is not None and by_hand is not None:
        return Window(first, int(by_hand))
    if order.sent_at is None:
        return Window(first, None)
    later = order.sent_at + timedelta(seconds=settings.SETTLE_SECONDS)
    closers = Order.objects.filter(kind=order.kind, sent_at__gte=later, upstream_id__isnull=False).order_by("sent_at")
    ids = [
        (number, pk) for pk, text in closers.values_list("pk", "upstream_id")[:RECENT_ORDERS] if (number := whole(text))
    ]
    if not ids:
        return Window(first, None)
    lowest, closed_by = min(ids)
    return Window(first, lowest - 1, closed_by)


def lost_attempts(kind: str) -> list[Order]:
    """Return the orders whose answer never came and has not been found out yet, oldest attempt first.

    Orders that wait as `unknown`, and those refunded at once (numbers) whose attempt is still an open question.
    """
    refunded_at_once = Q(status=Status.FAILED, reconciliation__state=OPEN) & ~Q(attention="")
    waiting = Q(status=Status.UNKNOWN)
    return list(
        Order.objects.filter(waiting | refunded_at_once, kind=kind, sent_at__isnull=False)
        .select_related("user")
        .order_by("sent_at")
    )


def settled_without_answer(kind: str, since: datetime) -> list[Order]:
    """Return orders that were refunded unanswered and that nobody looks for any more.

    What they may have left upstream can be mistaken for another's.
    """
    taken_off_the_queue = Q(reconciliation__state=OPEN, attention="")
    return list(
        Order.objects.filter(
            taken_off_the_queue | Q(reconciliation__state=REFUNDED),
            kind=kind,
            status=Status.FAILED,
            upstream_id=None,
            sent_at__gte=since - timedelta(seconds=settings.SETTLE_SECONDS),
        )
    )


def in_flight(kind: str) -> list[Order]:
    """Return the orders that are being sent at this moment."""
    return list(Order.objects.filter(kind=kind, status=Status.SENDING))


def known_ids(kind: str, ids: Iterable[int]) -> set[int]:
    """Return those of `ids` that belong to orders of ours."""
    texts = [str(number) for number in ids]
    found = Order.objects.filter(kind=kind, upstream_id__in=texts).values_list("upstream_id", flat=True)
    return {int(text) for text in found if text}


def evidence_of(window: Window) -> dict[str, Any]:
    """Return the window as it is shown to the admin."""
    return {"first": window.first, "last": window.last, "width": window.width, "closed_by": window.closed_by}
