"""Attempts that staff called not placed, so that their orders were sent again: was that right?

Staff may be wrong. So the windows of such attempts are looked into like those of lost ones: what turns up is taken for
the order as long as that still waits, and is booked as the shop's loss once it was bought again. Nothing is bought
twice without a trace.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from orders.attempts import assumptions
from orders.attempts.losses import book_second_loss, close_abandoned
from orders.attempts.windows import (
    ABANDONED,
    Attempt,
    abandoned_attempts,
    evidence_of,
    in_flight,
    unanswered,
    window_of,
)
from orders.lifecycle.supply import Placed, supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.models import Order, OrderEvent, Status
from orders.reconciliation.scan import (
    Answers,
    Findings,
    fits,
    not_scanned_because,
    scan,
)
from upstream.client import Client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
LOOK_AGAIN = timedelta(hours=1)


def look_for_abandoned(kind: str, client: Client, answers: Answers, now: datetime) -> int:
    """Look into the closed windows of attempts that staff called not placed; return of how many more is known now.

    `answers` are upstream's of this round, as in `scan`.
    """
    attempts = abandoned_attempts(kind)
    if not attempts:
        return 0
    # In this order, as in `reconcile`: the windows first, then who is being sent, then who is lost.
    sending = [window_of(order) for order in in_flight(kind)]
    questions = unanswered(kind, min(datetime.fromisoformat(attempt.key) for attempt in attempts))
    settled = 0
    for attempt in attempts:
        window = attempt.window
        if any(other.overlaps(window) for other in sending) or not_scanned_because(kind, window):
            continue
        rivals = [other for other in questions if other.window.overlaps(window) and not other.is_same(attempt)]
        settled += _look(attempt, rivals, client, answers, now)
    return settled


def _look(attempt: Attempt, rivals: list[Attempt], client: Client, answers: Answers, now: datetime) -> bool:
    if _looked_lately(attempt, rivals, now):
        return False
    order = attempt.order
    try:
        findings = scan(order, attempt.window, client, answers)
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
    if len(candidates) == 1 and not rivals and fits(order, report):
        if _adopt(attempt, str(upstream_id), evidence, now):
            return True
        charge = report.charge_upstream_micros
        return book_second_loss(order, str(upstream_id), charge, key=attempt.key, now=now, evidence=evidence)
    _keep_doubt(attempt, rivals, findings, now)
    return False


def _settle_absent(attempt: Attempt, evidence: dict[str, Any], now: datetime) -> bool:
    """Upstream has nothing that this attempt could have left: staff was right."""
    with transaction.atomic():
        if not close_abandoned(attempt.order.pk, attempt.key):
            return False
        status = Order.objects.values_list("status", flat=True).get(pk=attempt.order.pk)
        change = Change(attempt.order.pk, {}, {"proved_absent": attempt.key, **evidence})
        write_events([change], code=Code.ATTENTION, status=status, now=now)
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
                sent_at=datetime.fromisoformat(attempt.key),
                next_poll_at=now,
                attention="",
                held_because="",
                held_until=None,
            )
            close_abandoned(order.pk, attempt.key)
            supply_of(order).record_placed(order, Placed(upstream_id), now)
    except (WrongStatus, IntegrityError):
        return False  # it has just been claimed
    return True


def _record(attempt: Attempt) -> dict[str, Any]:
    found: dict[str, Any] = (attempt.order.reconciliation or {})[ABANDONED][attempt.key]
    return found


def _looked_lately(attempt: Attempt, rivals: list[Attempt], now: datetime) -> bool:
    record = _record(attempt)
    same = record.get("rivals") == sorted({other.order.pk for other in rivals})
    return same and now - datetime.fromisoformat(record["looked_at"]) < LOOK_AGAIN


def _keep_doubt(attempt: Attempt, rivals: list[Attempt], findings: Findings, now: datetime) -> None:
    """Lay what was found out for staff, who is told once."""
    order, record = attempt.order, _record(attempt)
    reason = f"Perhaps bought twice: upstream has {', '.join(map(str, sorted(findings.candidates)))}"
    with transaction.atomic():
        row = Order.objects.select_for_update().only("reconciliation", "attention", "status").get(pk=order.pk)
        found = row.reconciliation or {}
        if attempt.key not in found.get(ABANDONED, {}):
            return
        told = {
            "rivals": sorted({other.order.pk for other in rivals}),
            "candidates": sorted(findings.candidates),
            "looked_at": now.isoformat(),
        }
        attempts = {**found[ABANDONED], attempt.key: {**record, **told}}
        Order.objects.filter(pk=order.pk).update(reconciliation={**found, ABANDONED: attempts})
        if "looked_at" not in record and not row.attention:
            Order.objects.filter(pk=order.pk).update(attention=reason[:300])
            write_events(
                [Change(order.pk, {}, {"reason": reason, **told})], code=Code.ATTENTION, status=row.status, now=now
            )
