"""What the engine knows of a kind of order: how to send one, and how to ask how it is going.

`orders` supplies services; an app above registers its own supply (`sms` does, for numbers).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.conf import settings

from orders.models import LostAttempt, Order, RefundReason
from upstream.client import Client


def is_foreign(currency: str) -> bool:
    """Whether upstream named another currency than ours; one that it does not name says nothing."""
    return currency not in ("", settings.UPSTREAM_CURRENCY)


@dataclass(frozen=True)
class Placed:
    """Upstream's answer to a purchase: its order id, and what else the supply wants to keep."""

    upstream_id: str
    details: Any = None
    also: tuple[str, ...] = ()  # further ids that the answer names, though they were not asked for


@dataclass(frozen=True)
class Report:
    """Upstream's answer to "how is it going", in our words. `status` is None when we do not know its word."""

    status: str | None
    word: str
    charge_upstream_micros: int | None = None  # None also where it is in another currency than ours
    start_count: int | None = None
    remains: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    details: Any = None
    charge_rounding_micros: int = 0  # by how much the charge may have been rounded, see upstream.money
    currency: str = ""  # of the charge, where upstream names it
    why: RefundReason | None = None  # of a refund, where it is not simply the status


@dataclass(frozen=True)
class CostRange:
    """What upstream can have charged for an attempt, in micros of its currency; `settled`: no other price can turn up.

    Prices are read now and then: what one was at a moment in between is known once a later reading was applied.
    """

    low: int
    high: int
    settled: bool


class Supply(Protocol):
    """One kind of goods. `send` and `ask` only talk to upstream; `record_*` run inside the engine's transaction."""

    related: tuple[str, ...]  # what `ask` and `record_*` read beside the order, for select_related
    patience: timedelta | None  # how long a buyer waits for an unsent order; None: as long as it takes
    refund_unknown: bool  # whether a lost answer is refunded at once instead of being looked into
    counts_not_found: bool  # whether an open order that upstream knows no more is counted and shown to staff
    newest_first: bool  # which of the due ones are asked about first: the newest, or those that are due the longest

    @property
    def retry_after(self) -> timedelta:
        """When to ask again after a question that failed."""

    @property
    def poll_batch(self) -> int:
        """How many are asked about before their answers are recorded."""

    def cost_now(self, order: Order) -> int:
        """Return what upstream would charge for it today, in micros of its currency."""

    def cost_range(self, attempt: LostAttempt) -> CostRange:
        """Return what upstream can have charged for this attempt."""

    def send(self, client: Client, order: Order) -> Placed:
        """Buy it, once. Raises what the client's purchases raise."""

    def record_placed(self, order: Order, placed: Placed, now: datetime) -> None:
        """Keep what came with the order id."""

    def record_closed(self, order: Order, now: datetime) -> None:
        """The order failed before it was placed."""

    def ask(self, client: Client, order: Order, now: datetime) -> Report:
        """Ask how it is going. Raises what the client's reads raise."""

    def look_up(self, client: Client, upstream_id: str) -> Report | None:
        """Ask about an upstream order that may not be ours; None: upstream says "Order not found". Raises as `ask`."""

    def with_status(self, report: Report, status: str) -> Report:
        """Return a report whose word was strange to us as it reads now that the admin has said what it means."""

    def record_report(self, order: Order, report: Report, now: datetime) -> None:
        """Keep what came with the status."""

    def next_poll(self, order: Order, now: datetime) -> datetime | None:
        """When to ask again, given the status just recorded; None: never."""


_supplies: dict[str, Supply] = {}


def register(kind: str, supply: Supply) -> None:
    """Introduce the supply of a kind of order; called once, when the apps are ready."""
    _supplies[kind] = supply


def supply_of(order: Order) -> Supply:
    """Return the supply of the order's kind."""
    return _supplies[order.kind]


def related_rows(kind: str | None = None) -> tuple[str, ...]:
    """Return what the supply of this kind, or any supply, reads beside its order, for `select_related`."""
    chosen = _supplies.values() if kind is None else [_supplies[kind]]
    return ("user", *(name for supply in chosen for name in supply.related))


def supplies() -> dict[str, Supply]:
    """Return every kind with its supply."""
    return dict(_supplies)
