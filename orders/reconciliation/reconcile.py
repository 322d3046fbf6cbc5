"""Finding out what became of orders whose answer never came. Nothing is adopted or sent again without proof.

Proof that it was placed: exactly one lost order and one order upstream that answers to our key, that we do not know,
and that fits. Proof that it was not: every id of a closed window answers "Order not found". The rest is the admin's.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from orders.attempts import assumptions
from orders.attempts.answers import State, settle_attempt, settle_waiting
from orders.attempts.losses import book_own_loss
from orders.attempts.windows import (
    Attempt,
    Window,
    evidence_of,
    lost_attempts,
    unanswered,
    window_of,
    windows_in_flight,
)
from orders.lifecycle.attention import OF_WAITING, clear_flags
from orders.lifecycle.supply import (
    Placed,
    Report,
    supplies,
    supply_of,
)
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import LostAttempt, Order, OrderEvent, Status, UpstreamBalance
from orders.reconciliation.abandoned import look_for_abandoned
from orders.reconciliation.scan import (
    Answers,
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
Doubt = LostAttempt.Doubt


def reconcile_orders(*, client: Client, now: datetime) -> int:
    """Look into every lost attempt whose window is closed; return how many were settled.

    A read that fails proves nothing: those orders are looked at again next time.
    """
    settled = 0
    for kind in supplies():
        answers: Answers = {}
        settled += _reconcile_kind(kind, client, answers, now)
        settled += look_for_abandoned(kind, client, answers, now)
    return settled


def close_window(order_id: int, *, last_id: int, actor: User, now: datetime) -> None:
    """Close a lost order's window by hand: the supplier's own list shows `last_id` as the newest of our orders.

    For a quiet shop in which no later order closes the window. Raises WrongStatus when the order is not unknown any
    more, ValueError when the id is below the ones we had before the attempt or the settling time is not over.
    """
    lost = LostAttempt.objects.filter(order_id=order_id, state=State.LOST)
    attempt = lost.first()
    if attempt is None:
        raise WrongStatus(f"order {order_id} is not unknown any more")
    settled_at = attempt.sent_at + timedelta(seconds=settings.SETTLE_SECONDS)
    if now < settled_at:
        raise ValueError(
            _("Too early: the supplier may still process it until %(time)s.") % {"time": f"{settled_at:%H:%M:%S}"}
        )
    first = window_of(attempt).first
    if first is not None and last_id < first - 1:
        raise ValueError(_("The newest order cannot be older than %(id)s.") % {"id": first - 1})
    with transaction.atomic():
        if not lost.filter(pk=attempt.pk).update(closed_at=now, closed_at_id=last_id):
            raise WrongStatus(f"order {order_id} is not unknown any more")
        change = Change(order_id, {}, {"window_closed_by_hand_at": last_id})
        write_events([change], code=Code.ATTENTION, status=Status.UNKNOWN, now=now, actor=actor)


def _reconcile_kind(kind: str, client: Client, answers: Answers, now: datetime) -> int:
    lost = [Attempt(row, window_of(row)) for row in lost_attempts(kind)]
    if not lost:
        return 0
    # Asked in this order, none slips through: whoever has an id in one of these windows is being sent, or lost by now.
    sending = windows_in_flight(kind)
    questions = unanswered(kind, lost[0].row.sent_at)
    settled = 0
    for attempt in lost:
        if any(other.overlaps(attempt.window) for other in sending):
            _keep(attempt, [], Doubt.SENDING, now=now)
            continue
        near = [other for other in questions if other.window.overlaps(attempt.window)]
        settled += _reconcile(attempt, near, client, answers, now)
    return settled


def _reconcile(attempt: Attempt, near: list[Attempt], client: Client, answers: Answers, now: datetime) -> bool:
    """Settle one lost attempt if there is proof, else keep what is known; return whether it was settled.

    `near` are the unanswered attempts whose ids may lie in the same window, its own among them.
    """
    order, window = attempt.order, attempt.window
    # An earlier attempt of the same order is no rival: whichever of them upstream carried out, the id is this order's.
    rivals = list({other.order.pk: other.order for other in near if other.order.pk != order.pk}.values())
    try:
        check_window(order.kind, window)
        # The same window was asked about lately, with the same doubt: it would only cost calls upstream.
        if attempt.row.doubt == Doubt.CANDIDATES and asked_lately(attempt, rivals, now):
            return False
        findings = scan(order, window, client, answers)
    except NotScanned as reason:
        _keep(attempt, rivals, reason.doubt, reason.detail, now=now)
        return False
    except UpstreamError as error:
        _keep(attempt, rivals, Doubt.SILENCE, str(error), now=now)
        return False
    candidates = findings.candidates
    found = _evidence(order, window, rivals, asked=findings.asked, candidates=candidates)
    if not candidates:
        return _settle_absent(attempt, found, now)
    if len(candidates) > max(len(near), 1):
        # More orders than we can have lost: strangers' orders answer to our key.
        evidence = {"order": order.pk, "candidates": sorted(candidates)}
        assumptions.note_broken(assumptions.Name.FOREIGN_NOT_FOUND, order.kind, evidence, now=now)
    [upstream_id, report] = next(iter(candidates.items()))
    if len(candidates) == 1 and not rivals and report_matches(order, report):
        return _settle_placed(attempt, str(upstream_id), report, found, now)
    _keep(attempt, rivals, Doubt.CANDIDATES, now=now, found=found)
    return False


def _settle_absent(attempt: Attempt, found: dict[str, Any], now: datetime) -> bool:
    """It was not placed: send it again, or close the question where the buyer was refunded long ago."""
    order = attempt.order
    if attempt.row.state != State.LOST:
        return _close_question(attempt, found, now)
    try:
        with transaction.atomic():
            move_order(
                order.pk,
                Status.PAID,
                code=Code.NOT_SENT,
                now=now,
                where=Q(status=Status.UNKNOWN, sent_at=attempt.row.sent_at),
                evidence=found,
                not_before=None,
            )
            settle_waiting(order.pk, State.ABSENT, now=now, evidence=found)
            wake_forwarder(order.pk)
    except WrongStatus:
        return False
    return True


def _settle_placed(attempt: Attempt, upstream_id: str, report: Report, found: dict[str, Any], now: datetime) -> bool:
    """It was placed: adopt the id, or book the shop's loss where the buyer was refunded."""
    order, charge = attempt.order, report.charge_upstream_micros
    if attempt.row.state != State.LOST:
        return book_own_loss(attempt.row, upstream_id, charge, evidence=found, now=now)
    order.status = Status.PENDING
    supply = supply_of(order)
    try:
        with transaction.atomic():
            move_order(
                order.pk,
                Status.PENDING,
                code=Code.ACCEPTED,
                now=now,
                where=Q(status=Status.UNKNOWN, sent_at=attempt.row.sent_at),
                evidence={**found, "upstream_id": upstream_id},
                upstream_id=upstream_id,
                next_poll_at=now,
            )
            settle_waiting(order.pk, State.ADOPTED, now=now, upstream_id=upstream_id, evidence=found)
            supply.record_placed(order, Placed(upstream_id), now)
    except (WrongStatus, IntegrityError) as error:
        log.warning("adoption_outrun", order_id=order.pk, upstream_id=upstream_id, error=str(error))
        return False
    return True


def _close_question(attempt: Attempt, found: dict[str, Any], now: datetime) -> bool:
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=attempt.order.pk)
        if not settle_attempt(attempt.row, State.ABSENT, now=now, evidence=found):
            return False
        clear_flags([order.pk], OF_WAITING, now=now)
        write_events([Change(order.pk, {}, found)], code=Code.ATTENTION, status=order.status, now=now)
    return True


def _keep(
    attempt: Attempt,
    rivals: list[Order],
    doubt: LostAttempt.Doubt,
    detail: str = "",
    *,
    now: datetime,
    found: dict[str, Any] | None = None,
) -> None:
    """Lay the evidence out for the admin; the order stays in the queue for humans as it is."""
    row = attempt.row
    evidence = found or _evidence(attempt.order, attempt.window, rivals)
    if found is None and (row.doubt, row.doubt_detail, row.evidence) == (doubt, detail[:300], evidence):
        return
    LostAttempt.objects.filter(pk=row.pk, state=row.state).update(
        doubt=doubt,
        doubt_detail=detail[:300],
        evidence=evidence,
        looked_at=now,
        asked_about=question_of(attempt.window, rivals),
    )


def _evidence(
    order: Order,
    window: Window,
    rivals: list[Order],
    *,
    asked: int = 0,
    candidates: dict[int, Report] | None = None,
) -> dict[str, Any]:
    """Return what a human needs to decide, as JSON: window, candidates, rivals, upstream's balance, expected cost."""
    sent_at = order.sent_at or order.created_at
    before = UpstreamBalance.objects.filter(asked_at__lte=sent_at).order_by("-asked_at").first()
    after = UpstreamBalance.objects.filter(asked_at__gt=sent_at).order_by("asked_at").first()
    return {
        "window": evidence_of(window),
        "asked": asked,
        "candidates": [
            {
                "id": number,
                "word": report.word,
                "charge_upstream_micros": report.charge_upstream_micros,
                "remains": report.remains,
                "matches": report_matches(order, report),
            }
            for number, report in sorted((candidates or {}).items())
        ],
        "rivals": sorted(other.pk for other in rivals),
        "expected_cost_upstream_micros": order.cost_upstream_micros,
        "balance_before_upstream_micros": before.amount_upstream_micros if before else None,
        "balance_after_upstream_micros": after.amount_upstream_micros if after else None,
    }
