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

from orders.models import Order, OrderEvent, Status

RECENT_ORDERS = 64
OPEN, REFUNDED = "open", "refunded"  # reconciliation states of attempts whose order has been settled without an answer
ABANDONED = "abandoned"  # in Order.reconciliation: earlier attempts that staff called not placed, see `Abandoned`


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
    by_hand = (order.reconciliation or {}).get("closed_by_hand_at")
    closed_at = None if by_hand is None or order.window_closed_at is None else int(by_hand)
    return _window(order.kind, order.last_upstream_id_before, order.sent_at, closed_at)


def _window(kind: str, id_before: str, sent_at: datetime | None, closed_at: int | None = None) -> Window:
    before = whole(id_before)
    first = None if before is None else before + 1
    if closed_at is not None:
        return Window(first, closed_at)
    if sent_at is None:
        return Window(first, None)
    later = sent_at + timedelta(seconds=settings.SETTLE_SECONDS)
    closers = Order.objects.filter(kind=kind, sent_at__gte=later, upstream_id__isnull=False).order_by("sent_at")
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


@dataclass(frozen=True)
class Attempt:
    """One sending of an order of which nobody knows whether upstream has it, and where its id would lie.

    `key` is "" for the order's last one. It names an earlier one that staff called not placed, so that the order was
    sent again: should upstream have that, it was bought twice.
    """

    order: Order
    window: Window
    key: str = ""

    def is_same(self, other: "Attempt") -> bool:
        """Whether both are one sending; the orders may have been read at different moments."""
        return (self.order.pk, self.key) == (other.order.pk, other.key)


def with_abandoned(order: Order) -> dict[str, Any]:
    """Return the order's reconciliation as it is once staff has called its last attempt not placed."""
    found = order.reconciliation or {}
    sent_at = (order.sent_at or order.created_at).isoformat()
    attempt: dict[str, Any] = {"before": order.last_upstream_id_before}
    if order.window_closed_at is not None and found.get("closed_by_hand_at") is not None:
        attempt["closed_by_hand_at"] = found["closed_by_hand_at"]
    return {ABANDONED: {**found.get(ABANDONED, {}), sent_at: attempt}}


def abandoned_attempts(kind: str) -> list[Attempt]:
    """Return the attempts that staff called not placed, and of which nobody knows better yet."""
    rows = Order.objects.filter(kind=kind, reconciliation__isnull=False, reconciliation__has_key=ABANDONED)
    found = []
    for order in rows.select_related("user").order_by("pk"):
        for sent_at, attempt in (order.reconciliation or {})[ABANDONED].items():
            closed_at = attempt.get("closed_by_hand_at")
            window = _window(kind, attempt["before"], datetime.fromisoformat(sent_at), closed_at)
            found.append(Attempt(order, window, sent_at))
    return found


def unanswered(kind: str, since: datetime) -> list[Attempt]:
    """Return all attempts since then of which nobody knows whether upstream has them.

    Those that are lost, those whose order was refunded, and those whose order was sent again by staff's word: what any
    of them may have left upstream can be mistaken for another's.
    """
    last_ones = [*lost_attempts(kind), *_settled_without_answer(kind, since)]
    return [*(Attempt(order, window_of(order)) for order in last_ones), *abandoned_attempts(kind)]


def _settled_without_answer(kind: str, since: datetime) -> list[Order]:
    taken_off_the_queue = Q(reconciliation__state=OPEN, attention="")
    return list(
        Order.objects.filter(
            taken_off_the_queue | Q(reconciliation__state=REFUNDED),
            kind=kind,
            status=Status.FAILED,
            upstream_id=None,
            reconciliation__isnull=False,
            sent_at__gte=since - timedelta(seconds=settings.SETTLE_SECONDS),
        )
    )


def in_flight(kind: str) -> list[Order]:
    """Return the orders that are being sent at this moment."""
    return list(Order.objects.filter(kind=kind, status=Status.SENDING))


def known_ids(kind: str, ids: Iterable[int]) -> set[int]:
    """Return those of `ids` that belong to orders of ours, or that were booked as the shop's loss."""
    texts = [str(number) for number in ids]
    ours = Order.objects.filter(kind=kind, upstream_id__in=texts).values_list("upstream_id", flat=True)
    losses = OrderEvent.objects.filter(
        code=OrderEvent.Code.LOSS, order__kind=kind, evidence__upstream_id__in=texts
    ).values_list("evidence__upstream_id", flat=True)
    return {int(text) for text in [*ours, *losses] if text}


def evidence_of(window: Window) -> dict[str, Any]:
    """Return the window as it is shown to the admin."""
    return {"first": window.first, "last": window.last, "width": window.width, "closed_by": window.closed_by}
