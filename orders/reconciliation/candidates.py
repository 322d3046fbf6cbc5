"""Which orders upstream, that nobody here knows, can belong to which attempt without an answer."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import networkx as nx

from orders.attempts.windows import Attempt, Window, forgotten, known_ids, unanswered, windows_in_flight
from orders.fulfilment.rate_units import charge_matches
from orders.lifecycle.supply import CostRange, Report, supplies, supply_of
from orders.models import LostAttempt, Status
from orders.reconciliation.assignment import Explanations, explain

REDUCED = (Status.PARTIAL, Status.CANCELED)
Doubt = LostAttempt.Doubt
Answers = dict[int, Report | None]  # what upstream said of ids of one kind; None: "Order not found"


@dataclass(frozen=True)
class Suspect:
    """An attempt without an answer, and what upstream can have charged for it."""

    attempt: Attempt
    costs: CostRange

    @property
    def key(self) -> int:
        return self.attempt.row.pk

    def may_have(self, number: int, report: Report) -> bool:
        """Whether nothing that upstream says contradicts that this is its order; what is not told contradicts nothing.

        While a later sync can still bring another price into the range, a charge outside of it contradicts nothing.
        """
        return self.attempt.window.may_hold(number) and (not self.costs.settled or self.matches(report))

    def matches(self, report: Report) -> bool:
        """Whether the charge and what remains are those of this attempt, as far as they are told."""
        return _remains_match(self.attempt.order.quantity, report) and charge_is_possible(self.costs, report)


def _remains_match(quantity: int, report: Report) -> bool:
    """While it is pending, all of it remains; some suppliers say 0 until the work begins."""
    told = report.remains is not None and report.remains > 0 and report.status == Status.PENDING
    return not told or report.remains == quantity


def charge_is_possible(costs: CostRange, report: Report) -> bool:
    """A partial or canceled order costs at most what it would have; one whose work has not begun may cost 0 yet."""
    charge = report.charge_upstream_micros
    if not charge:
        return True
    if report.status is None or report.status in REDUCED:
        return charge <= costs.high or charge_matches(charge, costs.high)
    return charge_matches(charge, min(max(charge, costs.low), costs.high))


@dataclass(frozen=True)
class Verdict:
    """What became of an attempt: placed under an id, not placed, or why that is not certain."""

    placed_as: int | None = None
    absent: bool = False
    doubt: LostAttempt.Doubt | None = None


@dataclass(frozen=True)
class Cluster:
    """Attempts and candidates that can have to do with each other, through windows that hold the same ids."""

    suspects: Sequence[Suspect]
    candidates: Mapping[int, Report]
    optional: frozenset[int]  # ids that an order of another kind has: `status` may answer for numbers as well
    sending: bool  # whether an order is being sent that can have one of the ids
    forgotten: bool  # whether one of the ids may belong to an order that a restored database has forgotten

    @cached_property
    def explanations(self) -> Explanations | None:
        """What all explanations allow; None: there is none."""
        edges = {
            number: [each.key for each in self.suspects if each.may_have(number, report)]
            for number, report in self.candidates.items()
        }
        return explain(edges, [each.key for each in self.suspects], optional=self.optional)

    def waits_for_prices(self, suspect: Suspect) -> bool:
        """Whether something would be certain about this attempt if no other price turned up."""
        if all(each.costs.settled for each in self.suspects):
            return False
        settled = [replace(each, costs=replace(each.costs, settled=True)) for each in self.suspects]
        known = replace(self, suspects=settled)
        return known.explanations is None or known.is_empty_handed(suspect) or bool(known.certain_of(suspect))

    @property
    def too_many(self) -> bool:
        """Whether more orders answer than we can have lost: strangers' orders answer to our key."""
        return len(self.candidates.keys() - self.optional) > len(self.suspects)

    def owners(self, number: int) -> list[Suspect]:
        """Return the attempts that have this candidate in some explanation."""
        keys = self.explanations.owners[number] if self.explanations else frozenset()
        return [each for each in self.suspects if each.key in keys]

    def certain_of(self, suspect: Suspect) -> list[int]:
        """Return the candidates that certainly belong to this attempt's order, and can be this very attempt's."""
        if self.explanations is None:
            return []
        order_id = suspect.attempt.order.pk
        return [
            number
            for number in sorted(self.candidates)
            if number not in self.explanations.strangers
            and suspect.key in self.explanations.owners[number]
            and {each.attempt.order.pk for each in self.owners(number)} == {order_id}
        ]

    def is_empty_handed(self, suspect: Suspect) -> bool:
        """Whether this attempt has none of the candidates in any explanation."""
        return self.explanations is not None and suspect.key in self.explanations.empty_handed

    @property
    def doubt(self) -> LostAttempt.Doubt | None:
        """Why nothing can be concluded about any attempt of it, or None."""
        if self.sending:
            return Doubt.SENDING
        if self.forgotten:
            return Doubt.FORGOTTEN
        return None if self.explanations is not None else Doubt.UNEXPLAINED

    def verdict(self, suspect: Suspect, *, wholly_asked: bool) -> Verdict:
        """Return what is certain about an attempt; `wholly_asked`: its window is closed, every id in it was asked."""
        if self.doubt is not None:
            return Verdict(doubt=self.doubt)
        certain = [number for number in self.certain_of(suspect) if suspect.matches(self.candidates[number])]
        if certain:
            return Verdict(placed_as=certain[0])
        if wholly_asked and self.is_empty_handed(suspect):
            return Verdict(absent=True)
        if not any(suspect.attempt.window.may_hold(number) for number in self.candidates):
            return Verdict(doubt=Doubt.OPEN)
        return Verdict(doubt=Doubt.PRICES if self.waits_for_prices(suspect) else Doubt.CANDIDATES)


def clusters(kind: str, answers: Answers) -> Iterator[Cluster]:
    """Yield what can have to do with each other, for every attempt of this kind without an answer.

    Read after upstream's last answer, in this order: whoever has an id that answered was being sent by then, or is
    without an answer, or is known by the last question. Attempts of other kinds are rivals: where all kinds share one
    space of ids, `status` may answer for theirs.
    """
    others = [each for each in supplies() if each != kind]
    in_flight = [window for each in (kind, *others) for window in windows_in_flight(each)]
    attempts = [attempt for each in (kind, *others) for attempt in unanswered(each)]
    gaps = forgotten(kind)
    found = {number: report for number, report in answers.items() if report is not None}
    known = known_ids(kind, found)
    found = {number: report for number, report in found.items() if number not in known}
    elsewhere = {number for each in others for number in known_ids(each, found)}
    suspects = [Suspect(attempt, supply_of(attempt.order).cost_range(attempt.row)) for attempt in attempts]
    yield from grouped(suspects, found, in_flight=in_flight, gaps=gaps, elsewhere=elsewhere)


def grouped(
    suspects: Sequence[Suspect],
    found: Mapping[int, Report],
    *,
    in_flight: Sequence[Window] = (),
    gaps: Sequence[Window] = (),
    elsewhere: Collection[int] = (),
) -> Iterator[Cluster]:
    """Yield what can have to do with each other: attempts, and candidates that their windows hold.

    `in_flight` are the windows of orders that are being sent, `gaps` the ids that a restored database may have
    forgotten, `elsewhere` the ids that orders of another kind have.
    """
    for nodes in nx.connected_components(_near(suspects, found)):
        those = [each for each in suspects if ("attempt", each.key) in nodes]
        candidates = {number: report for number, report in found.items() if ("candidate", number) in nodes}
        yield Cluster(
            those,
            candidates,
            optional=frozenset(number for number in candidates if number in elsewhere),
            sending=_any_may_hold(in_flight, candidates),
            forgotten=_any_may_hold(gaps, candidates),
        )


def _near(suspects: Sequence[Suspect], found: Mapping[int, Report]) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(("attempt", each.key) for each in suspects)
    graph.add_nodes_from(("candidate", number) for number in found)
    for each in suspects:
        window = each.attempt.window
        graph.add_edges_from(
            (("attempt", each.key), ("candidate", number)) for number in found if window.may_hold(number)
        )
    return graph


def _any_may_hold(windows: Sequence[Window], candidates: Mapping[int, Report]) -> bool:
    return any(window.may_hold(number) for window in windows for number in candidates)
