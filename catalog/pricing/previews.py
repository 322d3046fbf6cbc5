"""What a markup rule would change, before it is saved: counted over all services, with the biggest moves by name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from heapq import nlargest, nsmallest
from typing import NamedTuple

from django.db.models import Q, QuerySet

from catalog.models import Service
from catalog.models.services import UPSTREAM_CATEGORY_ID
from catalog.pricing.book import PriceBook, open_book
from catalog.pricing.repricing import READ_AT_ONCE, rate_units
from catalog.pricing.rules import Rule, read_rules

SHOWN_MOVES = 10
SHOWN_LOSSES = 20


class Row(NamedTuple):
    """What a price depends on, of one service."""

    id: int
    rate_upstream_micros: int
    rate_per_override: int | None
    category_id: int
    subcategory_id: int | None
    rate_override_micros: int | None
    markup_percent: Decimal | None


class Moved(NamedTuple):
    """A service and two rates, in store micros for as many pieces as its rate buys."""

    id: int
    before_micros: int
    after_micros: int

    @property
    def is_up(self) -> bool:
        return self.after_micros > self.before_micros

    @property
    def share(self) -> int | None:
        """The change in hundredths of a percent, rounded down; None where the service cost nothing before."""
        if self.before_micros == 0:
            return None
        return (self.after_micros - self.before_micros) * 10_000 // self.before_micros


class Line(NamedTuple):
    """A line of the preview: a service by name, two rates in store micros for `rate_per` pieces, and the `share`."""

    id: int
    upstream_id: int
    name: str
    rate_per: int
    before_micros: int
    after_micros: int
    share: int | None

    @property
    def percent(self) -> str:
        """The change in percent with a sign, or nothing."""
        return "" if self.share is None else f"{Decimal(self.share).scaleb(-2):+.1f}"


@dataclass(frozen=True)
class Effect:
    """What changes for visitors at one moment; withdrawn services are not counted.

    `hit` counts the services that the rule is for then, `lifted` those of them whose price is the floor instead of the
    markup, `at_cost` those sold for what they cost. `below_cost` of them would sell below cost without the floor; for
    these, the `losses`, the two rates of a line are the cost and what the rule comes to.
    """

    moment: datetime
    at_once: bool
    hit: int
    dearer: int
    cheaper: int
    lifted: int
    at_cost: int
    below_cost: int
    largest_increases: list[Line]
    largest_decreases: list[Line]
    losses: list[Line]

    @property
    def changed(self) -> int:
        return self.dearer + self.cheaper


@dataclass
class _Comparison:
    """An effect while it is counted: services are ids, and every move is kept."""

    moment: datetime
    at_once: bool
    hit: int = 0
    lifted: int = 0
    at_cost: int = 0
    moves: list[Moved] = field(default_factory=list)
    losses: list[Moved] = field(default_factory=list)

    @property
    def is_felt(self) -> bool:
        return bool(self.hit or self.moves)

    @cached_property
    def largest_increases(self) -> list[Moved]:
        return nlargest(SHOWN_MOVES, (move for move in self.moves if move.is_up), key=_by_share)

    @cached_property
    def largest_decreases(self) -> list[Moved]:
        return nsmallest(SHOWN_MOVES, (move for move in self.moves if not move.is_up), key=_by_share)

    @cached_property
    def worst(self) -> list[Moved]:
        return nsmallest(SHOWN_LOSSES, self.losses, key=_by_share)

    def shown(self) -> list[Moved]:
        return [*self.largest_increases, *self.largest_decreases, *self.worst]

    def effect(self, lines: dict[Moved, Line]) -> Effect:
        dearer = sum(move.is_up for move in self.moves)
        return Effect(
            moment=self.moment,
            at_once=self.at_once,
            hit=self.hit,
            dearer=dearer,
            cheaper=len(self.moves) - dearer,
            lifted=self.lifted,
            at_cost=self.at_cost,
            below_cost=len(self.losses),
            largest_increases=[lines[move] for move in self.largest_increases],
            largest_decreases=[lines[move] for move in self.largest_decreases],
            losses=[lines[move] for move in self.worst],
        )


def preview_rule(candidate: Rule, *, now: datetime) -> list[Effect]:
    """Return what saving this rule changes at once, and what it changes when it begins, if that is later.

    At least one effect. `candidate` takes the place of the saved rule with its id, if there is one. A fixed number of
    queries; about a second for a hundred thousand services.
    """
    saved = read_rules()
    others = [rule for rule in saved if rule.id != candidate.id]
    replaced = [rule for rule in saved if rule.id == candidate.id]
    services = _within([candidate, *replaced])
    found = []
    for moment in _moments(candidate, now):
        before, after = open_book(saved, now=moment), open_book([*others, candidate], now=moment)
        found.append(_compare(_rows(services), before, after, candidate.id, _Comparison(moment, moment == now)))
    lines = _lines_of(found)
    return [comparison.effect(lines) for comparison in found if comparison.is_felt] or [found[0].effect(lines)]


def _moments(candidate: Rule, now: datetime) -> list[datetime]:
    begins = candidate.valid_from
    return [now, begins] if begins is not None and begins > now else [now]


def _within(rules: Iterable[Rule]) -> QuerySet[Service]:
    """Return the services these rules can be for."""
    services = Service.objects.filter(withdrawn_at=None)
    wanted = Q()
    for rule in rules:
        if rule.service_id is not None:
            wanted |= Q(pk=rule.service_id)
        elif rule.subcategory_id is not None:
            wanted |= Q(subcategory_id=rule.subcategory_id)
        elif rule.category_id is not None:
            wanted |= Q(category_id=rule.category_id)
        else:
            return services
    return services.filter(wanted)


def _rows(services: QuerySet[Service]) -> Iterator[Row]:
    return map(Row._make, services.order_by().values_list(*Row._fields).iterator(chunk_size=READ_AT_ONCE))


def _compare(rows: Iterable[Row], before: PriceBook, after: PriceBook, rule_id: int, found: _Comparison) -> _Comparison:
    for row in rows:
        place = row.category_id, row.subcategory_id, row.id
        rate, own, percent = row.rate_upstream_micros, row.rate_override_micros, row.markup_percent
        formula = after.visitors_formula(*place, own_percent=percent)
        old = before.visitors_formula(*place, own_percent=percent).rate_micros(rate, own)
        new = formula.rate_micros(rate, own)
        if old != new:
            found.moves.append(Moved(row.id, old, new))
        if after.markup_at(*place, own_percent=percent).rule_id != rule_id:
            continue
        found.hit += 1
        found.at_cost += new <= formula.cost_micros(rate)
        found.lifted += formula.is_lifted(rate, own)
        if own is None and formula.loses(rate):
            found.losses.append(Moved(row.id, formula.cost_micros(rate), formula.unprotected_micros(rate)))
    return found


def _lines_of(found: Iterable[_Comparison]) -> dict[Moved, Line]:
    """Return the lines that will be shown, with names and units: two queries."""
    shown = {move for comparison in found for move in comparison.shown()}
    columns = ("pk", "upstream_id", "display_name", "name", UPSTREAM_CATEGORY_ID, "rate_per_override")
    rate_per = rate_units()
    services = {
        pk: (upstream_id, display_name or name, rate_per(home_id, rate_per_override))
        for pk, upstream_id, display_name, name, home_id, rate_per_override in Service.objects.filter(
            pk__in={move.id for move in shown}
        ).values_list(*columns)
    }
    return {
        move: Line(move.id, *services[move.id], move.before_micros, move.after_micros, move.share) for move in shown
    }


def _by_share(move: Moved) -> tuple[int, int]:
    """Return what moves are sorted by: the share, then the amount; from nothing is the steepest there is."""
    steepest = 10**18
    amount = move.after_micros - move.before_micros
    return (steepest if amount > 0 else -steepest) if move.share is None else move.share, amount
