"""A line of the queue "Needs you", and how urgent it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Count, QuerySet, Sum, Window

from orders.fulfilment.solvency import Forecast, forecast, latest_balance
from orders.models import ForwardingPause, Order, UpstreamBalance

MOST_READ = 500  # of a kind, the longest waiting: nobody sees to more on one page
# What waits without money, and what waits for a moment, counts for something as well.
AT_LEAST_MICROS, AT_LEAST = 5_000_000, timedelta(hours=1)


@dataclass(frozen=True)
class Line:
    """Something that waits for a human: what, since when, how much money is at stake, where it is settled.

    What `stops` the shop comes first. `same_as` names what another line may be about as well: one of them is shown.
    `not_for` are accounts whose owners may not decide about it.
    """

    what: str
    link: str
    since: datetime | None = None
    micros: int = 0
    stops: bool = False
    same_as: str = ""
    not_for: tuple[int, ...] = ()

    def urgency(self, now: datetime) -> tuple[bool, float]:
        """Return what lines are sorted by, the greatest first: the money times the hours it has been waiting."""
        waited = AT_LEAST if self.since is None else max(now - self.since, AT_LEAST)
        return self.stops, max(self.micros, AT_LEAST_MICROS) * waited.total_seconds()


@dataclass(frozen=True)
class Found:
    """What waits of a kind: the longest waiting of it, and how much there is in all."""

    lines: list[Line] = field(default_factory=list)
    total: int = 0


class Survey:
    """The moment of a page, and what several parts of it ask: each question once."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    @cached_property
    def balance(self) -> UpstreamBalance | None:
        """What was seen of the upstream account last."""
        return latest_balance()

    @cached_property
    def money(self) -> Forecast | None:
        """How long the upstream account lasts."""
        return forecast(now=self.now)

    @cached_property
    def pauses(self) -> list[ForwardingPause]:
        """Why no order is sent; none while they are."""
        return list(ForwardingPause.objects.filter(ended_at=None).order_by("started_at"))

    @cached_property
    def unsent_micros(self) -> int:
        """What customers have paid for that is not sent yet."""
        paid: int | None = Order.objects.sendable().aggregate(paid=Sum("price_micros"))["paid"]
        return paid or 0


@dataclass(frozen=True)
class Kind:
    """A kind of lines: for whoever may view or change `model`; where all of them are listed; how they are read."""

    name: str
    title: Any
    model: str
    listed_at: str  # an address' name in the admin, and a query string behind it
    read: Callable[[Survey], Found]


def longest_waiting(rows: QuerySet[Any], since: str, *columns: str) -> tuple[list[tuple[Any, ...]], int]:
    """Return these columns of the rows that wait longest, and how many rows there are; one statement."""
    counted = rows.order_by(since, "pk").annotate(whole=Window(Count("*"))).values_list(*columns, "whole")
    found = list(counted[:MOST_READ])
    return [row[:-1] for row in found], found[0][-1] if found else 0
