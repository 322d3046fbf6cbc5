"""A supplier whose truth is known: random histories of attempts, prices, syncs and answers, without a database.

Times are minutes. What the shop knows of a history is put together here as it is from its tables: windows from answered
ids, costs from the rates that syncs have read. What it may conclude is checked against the truth.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orders.attempts.windows import Attempt, Window
from orders.lifecycle.supply import CostRange, Report
from orders.models import LostAttempt, Order, Status
from orders.reconciliation.candidates import Cluster, Suspect, grouped

SETTLE = 10.0
UNIT = 1000
RATES = (900_000, 1_000_000, 1_500_000, 2_000_000)
QUANTITIES = (100, 250, 500, 1000)


@dataclass
class Sending:
    """One attempt, and what really became of it."""

    order: int
    number: int
    quantity: int
    at: float
    expected: int  # its cost at the rate known when it was sent
    carried_out_at: float | None = None
    upstream_id: int | None = None
    charge: int = 0
    answered: bool = False
    in_flight: bool = False
    abandoned: bool = False
    refunded: bool = False


@dataclass
class History:
    """What happened until `now`, of which the shop knows a part."""

    seed: int
    now: float = 60.0
    sendings: list[Sending] = field(default_factory=list)
    prices: list[tuple[float, int]] = field(default_factory=list)  # since when, which rate
    syncs: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.prices = [(0.0, self.draw.choice(RATES))]
        self.prices += sorted(
            (self.draw.uniform(0, 60), self.draw.choice(RATES)) for _ in range(self.draw.randint(0, 3))
        )
        self.syncs = sorted([0.0, *(self.draw.uniform(0, 60) for _ in range(self.draw.randint(0, 5)))])
        self._send_orders()
        self._carry_out()

    # --- The truth --------------------------------------------------------------------------------------------------
    def rate_at(self, at: float) -> int:
        return next(rate for since, rate in reversed(self.prices) if since <= at)

    def known_rate_at(self, at: float) -> int:
        return self.rate_at(max(sync for sync in self.syncs if sync <= at))

    def _send_orders(self) -> None:
        for order in range(1, self.draw.randint(4, 14)):
            at, quantity = self.draw.uniform(1, self.now), self.draw.choice(QUANTITIES)
            first = self._sending(order, 1, quantity, at)
            if first.answered or first.in_flight:
                continue
            if self.draw.random() < 0.2:
                first.refunded = True
            elif self.draw.random() < 0.3 and at + SETTLE / 2 < self.now:
                first.abandoned = True
                self._sending(order, 2, quantity, self.draw.uniform(at + 1, self.now))

    def _sending(self, order: int, number: int, quantity: int, at: float) -> Sending:
        one = Sending(order, number, quantity, at, _cost(self.known_rate_at(at), quantity))
        self.sendings.append(one)
        one.in_flight = at > self.now - 0.5 and self.draw.random() < 0.5
        one.answered = not one.in_flight and self.draw.random() < 0.55
        if one.answered:
            one.carried_out_at = at + self.draw.uniform(0, 0.2)
        elif self.draw.random() < 0.6:
            late = self.draw.random() < 0.2
            one.carried_out_at = at + self.draw.uniform(0, SETTLE if late else 0.5)
        return one

    def _carry_out(self) -> None:
        """Give ids in the order in which orders reach the supplier; strangers' orders take some, too."""
        number = 1000
        reached = [one for one in self.sendings if one.carried_out_at is not None and one.carried_out_at <= self.now]
        for one in sorted(reached, key=lambda each: each.carried_out_at or 0):
            number += self.draw.choice((1, 1, 1, 2, 3))
            one.upstream_id = number
            one.charge = _cost(self.rate_at(one.carried_out_at or 0), one.quantity)

    # --- What the supplier says -------------------------------------------------------------------------------------
    def report_of(self, one: Sending) -> Report:
        word = self.draw.choice(list(WORDS))
        status, charge, remains = WORDS[word], one.charge, None
        if status == Status.PENDING:
            remains = self.draw.choice((one.quantity, one.quantity, 0, None, -5))
            charge = self.draw.choice((charge, charge, 0))
        elif status in (Status.PARTIAL, Status.CANCELED):
            charge = charge * self.draw.randint(0, 10) // 10
        elif status == Status.IN_PROGRESS:
            remains = self.draw.randint(0, one.quantity)
        return Report(status, word, None if self.draw.random() < 0.15 else charge, remains=remains)

    # --- What the shop knows ----------------------------------------------------------------------------------------
    def window_of(self, one: Sending) -> Window:
        answered = [each for each in self.sendings if each.answered and each.upstream_id is not None]
        before = [each.upstream_id for each in answered if (each.carried_out_at or 0) < one.at]
        closers = [each.upstream_id for each in answered if each.at >= one.at + SETTLE]
        return Window(max(before) + 1 if before else 1000, min(closers) - 1 if closers else None)

    def costs_of(self, one: Sending) -> CostRange:
        before = max(sync for sync in self.syncs if sync <= one.at)
        since = min((sync for sync in self.syncs if sync >= one.at + SETTLE), default=None)
        read = [sync for sync in self.syncs if sync >= before and (since is None or sync <= since)]
        costs = {one.expected, *(_cost(self.rate_at(sync), one.quantity) for sync in read)}
        return CostRange(min(costs), max(costs), settled=since is not None)

    def unseen_price(self, one: Sending) -> bool:
        """Whether it was charged at a rate that came and went between two syncs: nobody can know that."""
        costs = self.costs_of(one)
        return costs.settled and not costs.low <= one.charge <= costs.high

    def suspects(self) -> list[Suspect]:
        unanswered = [one for one in self.sendings if not one.answered and not one.in_flight]
        return [Suspect(Attempt(_row(one), self.window_of(one)), self.costs_of(one)) for one in unanswered]

    def clusters(self) -> list[Cluster]:
        suspects = self.suspects()
        asked = {
            number for each in suspects if each.attempt.window.last is not None for number in each.attempt.window.ids()
        }
        found = {
            one.upstream_id: self.report_of(one)
            for one in self.sendings
            if one.upstream_id in asked and one.upstream_id is not None and not one.answered
        }
        in_flight = [self.window_of(one) for one in self.sendings if one.in_flight]
        return list(grouped(suspects, found, in_flight=in_flight))


WORDS = {
    "Pending": Status.PENDING,
    "In progress": Status.IN_PROGRESS,
    "Completed": Status.COMPLETED,
    "Partial": Status.PARTIAL,
    "Canceled": Status.CANCELED,
    "Strange": None,
}


def _cost(rate: int, quantity: int) -> int:
    return -(-rate * quantity // UNIT)


def _row(one: Sending) -> LostAttempt:
    order = Order(pk=one.order, quantity=one.quantity, cost_upstream_micros=one.expected)
    state = LostAttempt.State.ABANDONED if one.abandoned else LostAttempt.State.LOST
    if one.refunded:
        state = LostAttempt.State.REFUNDED
    sent_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=one.at)
    return LostAttempt(
        pk=one.order * 10 + one.number, order=order, kind="service", number=one.number, sent_at=sent_at, state=state
    )
