"""Finding out what became of orders whose answer never came. Nothing is adopted or sent again without proof.

The account upstream is the shop's alone, so whatever answers there and is not known here belongs to an attempt without
an answer. Proof that it was placed: every explanation of all that answers gives the order the same id. Proof that it
was not: none of them gives it any, and every id of its closed window was asked. The rest is the admin's.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orders.attempts import assumptions
from orders.attempts.windows import Attempt, evidence_of, unanswered
from orders.lifecycle.supply import CostRange, supplies, supply_of
from orders.models import LostAttempt, UpstreamBalance
from orders.notices.admin_notices import tell_of_unexplained
from orders.reconciliation.candidates import Answers, Cluster, Suspect, Verdict, clusters
from orders.reconciliation.doubts import keep_doubt
from orders.reconciliation.scan import NotScanned, ask, asked_lately, ids_to_ask, question_of
from orders.reconciliation.settle import settle_absent, settle_placed
from upstream.client import Client
from upstream.errors import UpstreamError

Doubt = LostAttempt.Doubt


@dataclass
class Round:
    """What one round asks about attempts of one kind, and what upstream says."""

    client: Client
    now: datetime
    answers: Answers = field(default_factory=dict)
    asked: dict[int, range] = field(default_factory=dict)  # by the attempt's key: ids that were all answered for
    questions: dict[int, str] = field(default_factory=dict)
    costs: dict[int, CostRange] = field(default_factory=dict)
    rivals: dict[int, list[int]] = field(default_factory=dict)  # whose attempts lie in the same window
    doubts: dict[int, tuple[LostAttempt.Doubt, str]] = field(default_factory=dict)
    distrusted: bool = False  # the answers themselves show that nothing may be concluded from them

    def costs_of(self, attempt: Attempt) -> CostRange:
        """Return what the attempt can have cost; read once a round."""
        if attempt.row.pk not in self.costs:
            self.costs[attempt.row.pk] = supply_of(attempt.order).cost_range(attempt.row)
        return self.costs[attempt.row.pk]

    def has_asked_all_of(self, suspect: Suspect) -> bool:
        """Whether the window is closed as it is known now, and every id in it was asked.

        It may have been closed while upstream was asked, further off than what was looked at ahead.
        """
        window, asked = suspect.attempt.window, self.asked.get(suspect.key)
        if asked is None or window.first is None or window.last is None:
            return False
        return asked.start <= window.first and window.last < asked.stop


def reconcile_orders(*, client: Client, now: datetime) -> int:
    """Look into every attempt whose answer never came; return how many were settled.

    A read that fails proves nothing: those attempts are looked at again next time.
    """
    return sum(_reconcile_kind(kind, Round(client, now)) for kind in supplies())


def _reconcile_kind(kind: str, this: Round) -> int:
    # The windows first: who gets an id while upstream is asked is found by the later questions.
    before = unanswered(kind)
    sought = [attempt for attempt in before if attempt.row.state != LostAttempt.State.REFUNDED]
    if not sought:
        return 0
    elsewhere = [attempt for each in supplies() if each != kind for attempt in unanswered(each)]
    for attempt in sought:
        _ask_about(kind, attempt, [*before, *elsewhere], this)
    settled = 0
    found = list(clusters(kind, this.answers))
    for cluster in found:
        if cluster.too_many and not cluster.forgotten:
            told = {"candidates": sorted(cluster.candidates.keys() - cluster.optional)}
            assumptions.note_broken(assumptions.Name.FOREIGN_NOT_FOUND, kind, told, now=this.now)
            this.distrusted = True
    for cluster in found:
        if cluster.doubt is Doubt.UNEXPLAINED:
            waiting = sorted({each.attempt.order.pk for each in cluster.suspects})
            tell_of_unexplained(kind, sorted(cluster.candidates), waiting, now=this.now)
        for suspect in cluster.suspects:
            if suspect.attempt.row.kind == kind:
                settled += _settle(suspect, cluster, this)
    return settled


def _ask_about(kind: str, attempt: Attempt, unsettled: list[Attempt], this: Round) -> None:
    key = attempt.row.pk
    near = {each.order.pk: each for each in unsettled if each.window.overlaps(attempt.window)}
    near.pop(attempt.order.pk, None)
    this.rivals[key] = sorted(near)
    try:
        ids = ids_to_ask(kind, attempt, this.now)
        rivals = {pk: this.costs_of(near[pk]).settled for pk in this.rivals[key]}
        question = question_of(ids, attempt.window, rivals, this.costs_of(attempt))
        if asked_lately(attempt, question, this.now):
            return
        ask(kind, ids, this.client, this.answers)
    except NotScanned as reason:
        this.doubts[key] = (reason.doubt, reason.detail)
    except UpstreamError as error:
        this.doubts[key] = (Doubt.SILENCE, str(error))
    else:
        this.asked[key], this.questions[key] = ids, question


def _settle(suspect: Suspect, cluster: Cluster, this: Round) -> bool:
    """Settle one attempt if there is proof, else keep what is known; return whether it was settled."""
    key, row, now = suspect.key, suspect.attempt.row, this.now
    doubt, detail = (Doubt.DISTRUST, "") if this.distrusted else this.doubts.get(key, (None, ""))
    verdict = Verdict(doubt=doubt) if doubt else cluster.verdict(suspect, wholly_asked=this.has_asked_all_of(suspect))
    if verdict.doubt is not None and key not in this.asked and key not in this.doubts:
        return False
    found = _evidence(suspect, cluster, this)
    if verdict.placed_as is not None:
        report = cluster.candidates[verdict.placed_as]
        return settle_placed(row, str(verdict.placed_as), report, found, now)
    if verdict.absent:
        return settle_absent(row, found, now)
    if verdict.doubt is not None:
        keep_doubt(row, verdict.doubt, detail, found, now=now, question=this.questions.get(key, ""))
    return False


def _evidence(suspect: Suspect, cluster: Cluster, this: Round) -> dict[str, Any]:
    """Return what a human needs to decide, as JSON: window, candidates and whose they can be, balance, cost."""
    order, window = suspect.attempt.order, suspect.attempt.window
    sent_at = suspect.attempt.row.sent_at
    before = UpstreamBalance.objects.filter(asked_at__lte=sent_at).order_by("-asked_at").first()
    after = UpstreamBalance.objects.filter(asked_at__gt=sent_at).order_by("asked_at").first()
    ids = this.asked.get(suspect.key)
    return {
        "window": evidence_of(window),
        "asked": len(ids) if ids is not None else 0,
        "asked_until": ids.stop - 1 if ids is not None else None,
        "candidates": [
            {
                "id": number,
                "word": report.word,
                "charge_upstream_micros": report.charge_upstream_micros,
                "remains": report.remains,
                "matches": suspect.matches(report),
                "orders": sorted({each.attempt.order.pk for each in cluster.owners(number)}),
            }
            for number, report in sorted(cluster.candidates.items())
            if window.may_hold(number)
        ],
        "rivals": this.rivals.get(suspect.key, []),
        "expected_cost_upstream_micros": order.cost_upstream_micros,
        "balance_before_upstream_micros": before.amount_upstream_micros if before else None,
        "balance_after_upstream_micros": after.amount_upstream_micros if after else None,
    }
