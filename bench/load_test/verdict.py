"""The proof: what upstream really has, beside what the shop says and what its customers were told."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bench.load_test.customers import Purchase
from bench.load_test.settling import LOOKED_FOR, describe
from orders.attempts.windows import window_of
from orders.models import Kind, LostAttempt, Order, OrderEvent, Status, UpstreamAssumption
from upstream.money import micros_from_decimal
from wallet.models import LedgerEntry

ENDED_UPSTREAM = (Status.COMPLETED, Status.PARTIAL, Status.CANCELED)


@dataclass
class Verdict:
    """Figures to print, and everything that must not be."""

    orders: int = 0
    duplicates: int = 0
    lost: int = 0
    needing_a_human: int = 0
    adopted: int = 0
    proved_absent: int = 0
    losses: int = 0
    loss_micros: int = 0
    problems: list[str] = field(default_factory=list)


class Truth:
    """What upstream has really placed, by id and, for services, by the link that belongs to one order of ours."""

    def __init__(self, placed: list[dict[str, Any]]) -> None:
        self.by_id = {str(row["id"]): row for row in placed}
        self.by_link: dict[str, list[int]] = defaultdict(list)
        for row in placed:
            if row["kind"] == "service":
                self.by_link[row["link"]].append(row["id"])

    def numbers(self) -> set[str]:
        """Return the ids of all numbers."""
        return {upstream_id for upstream_id, row in self.by_id.items() if row["kind"] == "number"}

    def charge_micros(self, upstream_ids: Iterable[str]) -> int:
        """Return what these orders cost now."""
        return sum(micros_from_decimal(Decimal(str(self.by_id[one]["charge"]))) for one in upstream_ids)


def check(truth: Truth, purchases: list[Purchase], *, all_decided: bool, charges_are_told: bool = True) -> Verdict:
    """Compare everything. `all_decided`: the admin has settled the unknown services, none may be left.

    Without `charges_are_told` the last answer about an order may have named no charge that can be read: then the books
    count what was said before, or what it was expected to cost, and that has to be true until upstream gives back.
    """
    orders = list(Order.objects.order_by("pk"))
    losses = _losses()
    verdict = Verdict(orders=len(orders), needing_a_human=Order.objects.needing_attention().count())
    _judge_services([order for order in orders if order.kind == Kind.SERVICE], truth, losses, verdict)
    _judge_numbers([order for order in orders if order.kind == Kind.NUMBER], truth, losses, verdict)
    for order in orders:
        _judge_ending(order, verdict, all_decided=all_decided)
        _judge_charge(order, truth, losses, verdict, charges_are_told=charges_are_told)
    _judge_money_back(orders, verdict)
    for broken in UpstreamAssumption.objects.filter(broken_at__isnull=False):
        verdict.problems.append(f"what holds was taken for broken: {broken}: {broken.evidence}")
    _judge_answers(orders, purchases, verdict)
    _count_findings(verdict)
    booked = {upstream_id for ids in losses.values() for upstream_id in ids}
    verdict.losses, verdict.loss_micros = len(booked), truth.charge_micros(booked & truth.by_id.keys())
    return verdict


def _losses() -> dict[int, set[str]]:
    """Return the upstream ids that each order booked as the shop's loss."""
    losses: dict[int, set[str]] = defaultdict(set)
    for event in OrderEvent.objects.filter(code=OrderEvent.Code.LOSS):
        losses[event.order_id].add(str(event.evidence["upstream_id"]))
    return losses


def _judge_services(orders: list[Order], truth: Truth, losses: dict[int, set[str]], verdict: Verdict) -> None:
    """Upstream each order exists once where it was placed, and not at all where its money went back."""
    strangers = set(truth.by_link) - {order.link for order in orders}
    verdict.problems += [f"upstream has an order that nobody here placed: {link}" for link in strangers]
    for order in orders:
        there = {str(upstream_id) for upstream_id in truth.by_link.get(order.link, [])}
        own = {order.upstream_id} if order.upstream_id else set()
        if len(there) > 1:
            verdict.duplicates += len(there) - 1
            verdict.problems.append(f"placed {len(there)} times, as {sorted(there)}: {describe(order)}")
        if own - there:
            verdict.problems.append(f"follows an upstream order that is not its own: {describe(order)}")
        if there - own - losses[order.pk] and order.status != Status.UNKNOWN:
            verdict.problems.append(f"upstream has it as {sorted(there)}: {describe(order)}")
        if not there and order.status in ENDED_UPSTREAM and order.refunded_micros < order.price_micros:
            verdict.lost += 1
            verdict.problems.append(f"paid and nowhere: {describe(order)}")


def _judge_numbers(orders: list[Order], truth: Truth, losses: dict[int, set[str]], verdict: Verdict) -> None:
    """Numbers have no link: those that no order knows must lie in the window of one that waits for a human."""
    known = {order.upstream_id for order in orders if order.upstream_id}
    known |= {upstream_id for order in orders for upstream_id in losses[order.pk]}
    missing = known - truth.numbers()
    verdict.problems += [f"number {upstream_id} is ours, but upstream has no such one" for upstream_id in missing]
    lost = LostAttempt.objects.filter(kind=Kind.NUMBER, state__in=LOOKED_FOR)
    waiting = list(lost.filter(order__in=Order.objects.needing_attention()))
    nobodys = sorted(int(upstream_id) for upstream_id in truth.numbers() - known)
    for number in nobodys:
        windows = [window_of(attempt) for attempt in waiting]
        if not any((one.first or 0) <= number <= (one.last or number) for one in windows):
            verdict.duplicates += 1
            verdict.problems.append(f"upstream has number {number}, which no order here knows or looks for")
    if len(nobodys) > len(waiting):
        verdict.duplicates += len(nobodys) - len(waiting)
        verdict.problems.append(f"{len(nobodys)} numbers are nobody's, but only {len(waiting)} orders look for one")


def _judge_ending(order: Order, verdict: Verdict, *, all_decided: bool) -> None:
    if order.status in ENDED_UPSTREAM or order.status == Status.FAILED:
        return
    if order.flags.open().exists() and not (all_decided and order.kind == Kind.SERVICE):
        return
    verdict.lost += 1
    verdict.problems.append(f"stuck, and nobody is asked to look at it: {describe(order)}")


def _judge_charge(
    order: Order, truth: Truth, losses: dict[int, set[str]], verdict: Verdict, *, charges_are_told: bool
) -> None:
    """What an order cost is what upstream took for it, to the micro; a booked loss is not asked about any more."""
    if order.upstream_id not in truth.by_id or order.upstream_id in losses[order.pk]:
        return
    real = truth.charge_micros([order.upstream_id])
    here = order.charge_upstream_micros
    if not charges_are_told:
        here = order.cost_upstream_micros if here is None else here
        if order.status in (Status.PARTIAL, Status.CANCELED):
            real = max(real, here)  # that upstream gave something back may not have been told either
    if here != real:
        verdict.problems.append(f"cost {real} upstream, {here} here: {describe(order)}")


def _judge_money_back(orders: list[Order], verdict: Verdict) -> None:
    """What was given up is refunded in whole, in one piece unless upstream changed its mind on the way."""
    refunds: dict[str, int] = defaultdict(int)
    for reference in LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND).values_list("reference", flat=True):
        refunds[reference.split(":")[1]] += 1
    for order in orders:
        if order.status == Status.FAILED and (refunds[str(order.pk)], order.refunded_micros) != (1, order.price_micros):
            verdict.problems.append(f"not refunded exactly once: {describe(order)}")


def _judge_answers(orders: list[Order], purchases: list[Purchase], verdict: Verdict) -> None:
    """What a customer was promised exists, once, and belongs to them."""
    owner = {order.pk: order.user_id for order in orders}
    of_request: dict[tuple[int, str], set[int]] = defaultdict(set)
    for order_id, user_id, request_id in Order.objects.values_list("pk", "user_id", "checkout__request_id"):
        of_request[user_id, request_id].add(order_id)
    for purchase in purchases:
        answers = {order_id for answer in purchase.answers for order_id in answer}
        bought = of_request.get((purchase.user_id, purchase.request_id), set())
        if any(owner.get(order_id) != purchase.user_id for order_id in answers):
            verdict.lost += 1
            verdict.problems.append(f"promised and not there: {purchase}")
        if len(bought) not in (0, purchase.pieces) or (answers and not answers <= bought):
            verdict.duplicates += 1
            verdict.problems.append(f"one request, but orders {sorted(bought)}: {purchase}")


def _count_findings(verdict: Verdict) -> None:
    state = LostAttempt.State
    verdict.adopted = LostAttempt.objects.filter(state__in=(state.ADOPTED, state.LOSS)).count()
    verdict.proved_absent = LostAttempt.objects.filter(state=state.ABSENT).count()
