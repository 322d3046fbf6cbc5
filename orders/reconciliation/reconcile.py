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
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from orders.attempts import assumptions
from orders.attempts.losses import book_own_loss
from orders.attempts.windows import (
    ABANDONED,
    OPEN,
    Attempt,
    Window,
    evidence_of,
    in_flight,
    lost_attempts,
    unanswered,
    window_of,
)
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
from orders.models import Order, OrderEvent, Status, UpstreamBalance
from orders.reconciliation.abandoned import look_for_abandoned
from orders.reconciliation.scan import (
    Answers,
    fits,
    not_scanned_because,
    scan,
)
from upstream.client import Client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
DOUBT = "the candidates leave a doubt"
LOOK_AGAIN = timedelta(hours=1)
KEPT = ("state", "closed_by_hand_at", ABANDONED)  # what new evidence does not replace


def reconcile_orders(*, client: Client, now: datetime | None = None) -> int:
    """Look into every lost attempt whose window is closed; return how many were settled.

    A read that fails proves nothing: those orders are looked at again next time.
    """
    now = now or timezone.now()
    settled = 0
    for kind in supplies():
        answers: Answers = {}
        settled += _reconcile_kind(kind, client, answers, now)
        settled += look_for_abandoned(kind, client, answers, now)
    return settled


def close_window(order_id: int, *, last_id: int, actor: User, now: datetime | None = None) -> None:
    """Close a lost order's window by hand: the supplier's own list shows `last_id` as the newest of our orders.

    For a quiet shop in which no later order closes the window. Raises WrongStatus when the order is not unknown any
    more, ValueError when the id is below the ones we had before the attempt or the settling time is not over.
    """
    now = now or timezone.now()
    order = Order.objects.get(pk=order_id)
    settled_at = (order.sent_at or now) + timedelta(seconds=settings.SETTLE_SECONDS)
    if now < settled_at:
        raise ValueError(
            _("Too early: the supplier may still carry it out until %(time)s.") % {"time": f"{settled_at:%H:%M:%S}"}
        )
    first = window_of(order).first
    if first is not None and last_id < first - 1:
        raise ValueError(_("The newest order cannot be older than %(id)s.") % {"id": first - 1})
    found = {**(order.reconciliation or {}), "closed_by_hand_at": last_id}
    closed = Order.objects.filter(pk=order_id, status=Status.UNKNOWN).update(window_closed_at=now, reconciliation=found)
    if not closed:
        raise WrongStatus(f"order {order_id} is not unknown any more")
    change = Change(order_id, {}, {"window_closed_by_hand_at": last_id})
    write_events([change], code=Code.ATTENTION, status=Status.UNKNOWN, now=now, actor=actor)


def _reconcile_kind(kind: str, client: Client, answers: Answers, now: datetime) -> int:
    lost = lost_attempts(kind)
    if not lost:
        return 0
    windows = {order.pk: window_of(order) for order in lost}
    # Asked in this order, none slips through: whoever has an id in one of these windows is being sent, or lost by now.
    sending = [window_of(order) for order in in_flight(kind)]
    questions = unanswered(kind, lost[0].sent_at or now)
    settled = 0
    for order in lost:
        window = windows[order.pk]
        if any(other.overlaps(window) for other in sending):
            _keep(order, window, why="an order is being sent whose id may lie in the window", now=now)
            continue
        near = [attempt for attempt in questions if attempt.window.overlaps(window)]
        settled += _reconcile(order, window, near, client, answers, now)
    return settled


def _reconcile(
    order: Order, window: Window, near: list[Attempt], client: Client, answers: Answers, now: datetime
) -> bool:
    """Settle one lost attempt if there is proof, else keep what is known; return whether it was settled.

    `near` are the unanswered attempts whose ids may lie in the same window, its own among them.
    """
    # An earlier attempt of the same order is no rival: whichever of them upstream carried out, the id is this order's.
    rivals = list({attempt.order.pk: attempt.order for attempt in near if attempt.order.pk != order.pk}.values())
    why = not_scanned_because(order.kind, window)
    if why:
        _keep(order, window, rivals=rivals, why=why, now=now)
        return False
    if _is_known(order, window, rivals, now):
        return False
    try:
        findings = scan(order, window, client, answers)
    except UpstreamError as error:
        _keep(order, window, rivals=rivals, why=f"upstream does not answer: {error}", now=now)
        return False
    candidates = findings.candidates
    found = _evidence(order, window, rivals, asked=findings.asked, candidates=candidates)
    if not candidates:
        return _settle_absent(order, found, now)
    if len(candidates) > max(len(near), 1):
        # More orders than we can have lost: strangers' orders answer to our key.
        evidence = {"order": order.pk, "candidates": sorted(candidates)}
        assumptions.note_broken(assumptions.Name.FOREIGN_NOT_FOUND, order.kind, evidence, now=now)
    [upstream_id, report] = next(iter(candidates.items()))
    if len(candidates) == 1 and not rivals and fits(order, report):
        return _settle_placed(order, str(upstream_id), report, found, now)
    _keep(order, window, rivals=rivals, why=DOUBT, now=now, found=found)
    return False


def _is_known(order: Order, window: Window, rivals: list[Order], now: datetime) -> bool:
    """Whether the same window was asked about lately, with the same doubt: it would only cost calls upstream."""
    found = order.reconciliation or {}
    same = found.get("window") == evidence_of(window) and found.get("rivals") == sorted(other.pk for other in rivals)
    if not same or found.get("why") != DOUBT:
        return False
    return now - datetime.fromisoformat(found["looked_at"]) < LOOK_AGAIN


def _settle_absent(order: Order, found: dict[str, Any], now: datetime) -> bool:
    """It was not placed: send it again, or close the question where the buyer was refunded long ago."""
    if order.status != Status.UNKNOWN:
        return _close_question(order, found, now)
    try:
        move_order(
            order.pk,
            Status.PAID,
            code=Code.NOT_SENT,
            now=now,
            where=Q(status=Status.UNKNOWN, sent_at=order.sent_at),
            evidence=found,
            attention="",
            not_before=None,
            window_closed_at=None,
            reconciliation=_settled(order, found, "absent"),
        )
    except WrongStatus:
        return False
    wake_forwarder(order.pk)
    return True


def _settle_placed(order: Order, upstream_id: str, report: Report, found: dict[str, Any], now: datetime) -> bool:
    """It was placed: adopt the id, or book the shop's loss where the buyer was refunded."""
    if order.status != Status.UNKNOWN:
        found = _settled(order, found, "placed")
        return book_own_loss(order, upstream_id, report.charge_upstream_micros, found, now=now)
    order.status = Status.PENDING
    supply = supply_of(order)
    try:
        with transaction.atomic():
            move_order(
                order.pk,
                Status.PENDING,
                code=Code.ACCEPTED,
                now=now,
                where=Q(status=Status.UNKNOWN, sent_at=order.sent_at),
                evidence={**found, "upstream_id": upstream_id},
                upstream_id=upstream_id,
                next_poll_at=now,
                attention="",
                reconciliation=_settled(order, found, "placed"),
            )
            supply.record_placed(order, Placed(upstream_id), now)
    except (WrongStatus, IntegrityError) as error:
        log.warning("adoption_outrun", order_id=order.pk, upstream_id=upstream_id, error=str(error))
        return False
    return True


def _close_question(order: Order, found: dict[str, Any], now: datetime) -> bool:
    with transaction.atomic():
        still_open = Order.objects.filter(pk=order.pk, status=Status.FAILED, reconciliation__state=OPEN)
        if not still_open.update(attention="", reconciliation=_settled(order, found, "absent")):
            return False
        write_events([Change(order.pk, {}, found)], code=Code.ATTENTION, status=order.status, now=now)
    return True


def _settled(order: Order, found: dict[str, Any], state: str) -> dict[str, Any]:
    """Return what is kept of a settled attempt; what is still open about earlier ones stays."""
    before = order.reconciliation or {}
    return {**{name: before[name] for name in (ABANDONED,) if name in before}, **found, "state": state}


def _keep(
    order: Order,
    window: Window,
    *,
    why: str,
    now: datetime,
    rivals: list[Order] | None = None,
    found: dict[str, Any] | None = None,
) -> None:
    """Lay the evidence out for the admin; the order stays in the queue for humans as it is."""
    before = order.reconciliation or {}
    evidence = {**(found or _evidence(order, window, rivals or [])), "why": why}
    kept = {name: before[name] for name in KEPT if name in before}
    unchanged = {**kept, **evidence} == {name: value for name, value in before.items() if name != "looked_at"}
    if unchanged and found is None:
        return
    unsettled = Order.objects.filter(pk=order.pk, upstream_id=None, status=order.status, sent_at=order.sent_at)
    unsettled.update(reconciliation={**kept, **evidence, "looked_at": now.isoformat()})


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
                "fits": fits(order, report),
            }
            for number, report in sorted((candidates or {}).items())
        ],
        "rivals": sorted(other.pk for other in rivals),
        "expected_cost_upstream_micros": order.cost_upstream_micros,
        "balance_before_upstream_micros": before.amount_upstream_micros if before else None,
        "balance_after_upstream_micros": after.amount_upstream_micros if after else None,
    }
