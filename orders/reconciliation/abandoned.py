"""Attempts that staff called not placed, so that their orders were sent again: was that right?

Staff may be wrong. So the windows of such attempts are looked into like those of lost ones: what turns up is taken for
the order as long as that still waits, and is booked as the shop's loss once it was bought again. Nothing is bought
twice without a trace.
"""

from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from orders.attempts import assumptions
from orders.attempts.answers import State, settle_attempt
from orders.attempts.losses import book_second_loss
from orders.attempts.windows import (
    Attempt,
    abandoned_attempts,
    evidence_of,
    unanswered,
    windows_in_flight,
)
from orders.lifecycle.attention import OF_WAITING, Flag, clear_flags, raise_flag
from orders.lifecycle.holds import NOT_HELD
from orders.lifecycle.supply import Placed, supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.reconciliation.scan import (
    Answers,
    Findings,
    NotScanned,
    asked_lately,
    check_window,
    question_of,
    report_matches,
    scan,
)
from upstream.client import Client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
Code = OrderEvent.Code


def look_for_abandoned(kind: str, client: Client, answers: Answers, now: datetime) -> int:
    """Look into the closed windows of attempts that staff called not placed; return of how many more is known now.

    `answers` are upstream's of this round, as in `scan`.
    """
    attempts = abandoned_attempts(kind)
    if not attempts:
        return 0
    # In this order, as in `reconcile`: the windows first, then who is being sent, then who is lost.
    sending = windows_in_flight(kind)
    questions = unanswered(kind, min(attempt.row.sent_at for attempt in attempts))
    settled = 0
    for attempt in attempts:
        if any(other.overlaps(attempt.window) for other in sending):
            continue
        rivals = [other for other in questions if other.window.overlaps(attempt.window) and not other.is_same(attempt)]
        settled += _look(attempt, rivals, client, answers, now)
    return settled


def _look(attempt: Attempt, rivals: list[Attempt], client: Client, answers: Answers, now: datetime) -> bool:
    order = attempt.order
    try:
        check_window(order.kind, attempt.window)
        if asked_lately(attempt, [other.order for other in rivals], now):
            return False
        findings = scan(order, attempt.window, client, answers)
    except NotScanned:
        return False
    except UpstreamError as error:
        log.warning("abandoned_attempt_not_looked_for", order_id=order.pk, error=str(error))
        return False
    candidates = findings.candidates
    evidence = {"window": evidence_of(attempt.window), "asked": findings.asked}
    if not candidates:
        return _settle_absent(attempt, evidence, now)
    if len(candidates) > len(rivals) + 1:
        told = {"order": order.pk, "candidates": sorted(candidates)}
        assumptions.note_broken(assumptions.Name.FOREIGN_NOT_FOUND, order.kind, told, now=now)
    [upstream_id, report] = next(iter(candidates.items()))
    if len(candidates) == 1 and not rivals and report_matches(order, report):
        if _adopt(attempt, str(upstream_id), evidence, now):
            return True
        charge = report.charge_upstream_micros
        return book_second_loss(attempt.row, str(upstream_id), charge, evidence=evidence, now=now)
    _keep_doubt(attempt, rivals, findings, now)
    return False


def _settle_absent(attempt: Attempt, evidence: dict[str, Any], now: datetime) -> bool:
    """Upstream has nothing that this attempt could have left: staff was right."""
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=attempt.order.pk)
        if not settle_attempt(attempt.row, State.ABSENT, now=now, evidence=evidence):
            return False
        told = {"proved_absent": attempt.row.sent_at.isoformat(), **evidence}
        write_events([Change(order.pk, {}, told)], code=Code.ATTENTION, status=order.status, now=now)
    return True


def _adopt(attempt: Attempt, upstream_id: str, evidence: dict[str, Any], now: datetime) -> bool:
    """Take what was found for the order while that still waits to be sent again; return whether it did."""
    order = Order.objects.get(pk=attempt.order.pk)
    if order.status != Status.PAID:
        return False
    order.status = Status.PENDING
    try:
        with transaction.atomic():
            move_order(
                order.pk,
                Status.PENDING,
                code=Code.ACCEPTED,
                now=now,
                where=Q(status=Status.PAID),
                evidence={**evidence, "upstream_id": upstream_id},
                upstream_id=upstream_id,
                sent_at=attempt.row.sent_at,
                next_poll_at=now,
                **NOT_HELD,
            )
            if not settle_attempt(attempt.row, State.ADOPTED, now=now, upstream_id=upstream_id, evidence=evidence):
                raise WrongStatus(f"an attempt of order {order.pk} has been looked into meanwhile")
            clear_flags([order.pk], (*OF_WAITING, Flag.PERHAPS_TWICE), now=now)
            supply_of(order).record_placed(order, Placed(upstream_id), now)
    except (WrongStatus, IntegrityError):
        return False  # it has just been claimed
    return True


def _keep_doubt(attempt: Attempt, rivals: list[Attempt], findings: Findings, now: datetime) -> None:
    """Lay what was found out for staff, who is told once."""
    row, candidates = attempt.row, sorted(findings.candidates)
    told = {"rivals": sorted({other.order.pk for other in rivals}), "candidates": candidates}
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=row.order_id)
        kept = LostAttempt.objects.filter(pk=row.pk, state=State.ABANDONED).update(
            evidence={"window": evidence_of(attempt.window), **told},
            looked_at=now,
            asked_about=question_of(attempt.window, [other.order for other in rivals]),
        )
        if kept and row.looked_at is None:
            raise_flag(order.pk, Flag.PERHAPS_TWICE, now=now, upstream_ids=candidates)
            said = {"code": Flag.PERHAPS_TWICE, "details": {"upstream_ids": candidates}}
            change = Change(order.pk, {}, {**said, **told, "looked_at": now.isoformat()})
            write_events([change], code=Code.ATTENTION, status=order.status, now=now)
