"""Where a lost upstream id can lie: after the ids we had before the attempt, before those of orders sent well after.

Upstream's ids ascend, and an attempt is carried out within the settling time or never. All ids here are whole numbers
of one kind of order: services and numbers may be counted apart. A window begins and ends only with ids that answered
the sending whose time they carry (`answered_at`): one that staff gave, or that was found, says nothing about time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.fast_queries.reads import Prepared
from orders.lifecycle.supply import related_rows
from orders.models import ForwardingPause, FoundOrder, LostAttempt, Order, Status

RECENT_ORDERS = 64
_recent_ids = Prepared(
    lambda: (
        # Whoever was answered has an id: said, so that `order_sent` fits the statement as it is planned for every kind.
        Order.objects.filter(kind="", answered_at__isnull=False, upstream_id__isnull=False)
        .order_by("-id")
        .values_list("upstream_id")[:RECENT_ORDERS]
    ),
    example=("",),
)
State = LostAttempt.State
Reason = ForwardingPause.Reason


def whole(upstream_id: str | None) -> int | None:
    """Return an upstream id as a number, or None when it is not one."""
    return int(upstream_id) if upstream_id and upstream_id.isascii() and upstream_id.isdigit() else None


def newest_upstream_id(kind: str) -> str:
    """Return the highest of the ids that recently answered orders of this kind, or "" when there is none.

    A lower one than the true newest would only widen a window, so looking at the last few orders is enough.
    """
    numbers = _whole_ids(text for (text,) in _recent_ids.rows(kind))
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


def window_of(attempt: LostAttempt) -> Window:
    """Return the window of a lost attempt as it is known now."""
    return _window(attempt.kind, attempt.id_before, attempt.sent_at, attempt.closed_at_id)


def _window(kind: str, id_before: str, sent_at: datetime | None, closed_at: int | None = None) -> Window:
    before = whole(id_before)
    first = None if before is None else before + 1
    if closed_at is not None:
        return Window(first, closed_at)
    if sent_at is None:
        return Window(first, None)
    later = sent_at + timedelta(seconds=settings.SETTLE_SECONDS)
    closers = Order.objects.filter(kind=kind, sent_at__gte=later, answered_at__isnull=False).order_by("sent_at")
    ids = [
        (number, pk) for pk, text in closers.values_list("pk", "upstream_id")[:RECENT_ORDERS] if (number := whole(text))
    ]
    if not ids:
        return Window(first, None)
    lowest, closed_by = min(ids)
    return Window(first, lowest - 1, closed_by)


@dataclass(frozen=True)
class Attempt:
    """A lost attempt, with the window its id must lie in as it was known when the row was read."""

    row: LostAttempt
    window: Window

    @property
    def order(self) -> Order:
        return self.row.order


def unanswered(kind: str) -> list[Attempt]:
    """Return the attempts of which nobody knows whether upstream has them, oldest first.

    Those that are lost, those whose order was refunded, and those whose order was sent again by staff's word: what any
    of them may have left upstream can be mistaken for another's.
    """
    rows = LostAttempt.objects.unsettled().filter(kind=kind).order_by("sent_at", "pk")
    beside = [f"order__{name}" for name in related_rows(kind)]
    return [Attempt(row, window_of(row)) for row in rows.select_related("order", *beside)]


def windows_in_flight(kind: str) -> list[Window]:
    """Return the windows of the orders that are being sent at this moment."""
    sending = Order.objects.filter(kind=kind, status=Status.SENDING)
    rows = list(sending.values_list("last_upstream_id_before", "sent_at"))
    return [_window(kind, id_before, sent_at) for id_before, sent_at in rows]


def known_ids(kind: str, ids: Iterable[int]) -> set[int]:
    """Return those of `ids` of which it is known whose they are: an order's of ours, a loss of the shop's, or, as staff
    says, that of an order which a restored database has forgotten.
    """
    texts = [str(number) for number in ids]
    found = FoundOrder.objects.filter(kind=kind, upstream_id__in=texts, settled_at__isnull=False)
    ours = Order.objects.filter(kind=kind, upstream_id__in=texts).values_list("upstream_id", flat=True)
    losses = LostAttempt.objects.filter(kind=kind, state=State.LOSS, upstream_id__in=texts)
    settled = [*losses.values_list("upstream_id", flat=True), *found.values_list("upstream_id", flat=True)]
    return {int(text) for text in [*ours, *settled] if text}


def forgotten(kind: str) -> list[Window]:
    """Return the ids that a restored database may have forgotten, for each restore.

    Between the last that answered before it, and the first that answered since.
    """
    restores = ForwardingPause.objects.filter(reason=Reason.RESTORED).values_list("started_at", flat=True)
    return [forgotten_at(kind, restored_at) for restored_at in restores]


def forgotten_at(kind: str, restored_at: datetime) -> Window:
    """Return the ids that the database which was restored at this moment may have forgotten."""
    answered = Order.objects.filter(kind=kind, answered_at__isnull=False)
    before = answered.filter(sent_at__lt=restored_at).order_by("-sent_at")[:RECENT_ORDERS]
    since = answered.filter(sent_at__gte=restored_at).order_by("sent_at")[:RECENT_ORDERS]
    newest, next_ones = (_whole_ids(orders.values_list("upstream_id", flat=True)) for orders in (before, since))
    return Window(max(newest) + 1 if newest else None, min(next_ones) - 1 if next_ones else None)


def _whole_ids(texts: Iterable[str | None]) -> list[int]:
    return [number for text in texts if (number := whole(text)) is not None]


def evidence_of(window: Window) -> dict[str, Any]:
    """Return the window as it is shown to the admin."""
    return {"first": window.first, "last": window.last, "width": window.width, "closed_by": window.closed_by}
