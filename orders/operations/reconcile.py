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
from orders.models import Order, OrderEvent, Status, UpstreamBalance
from orders.nudge import nudge
from orders.operations import assumptions
from orders.operations.moves import Change, WrongStatus, move_order, write_events
from orders.operations.windows import (
    Window,
    evidence_of,
    in_flight,
    known_ids,
    lost_attempts,
    settled_without_answer,
    window_of,
)
from orders.supply import Placed, Report, supplies, supply_of
from upstream.client import Client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
DOUBT = "the candidates leave a doubt"
LOOK_AGAIN = timedelta(hours=1)


def reconcile_orders(*, client: Client, now: datetime | None = None) -> int:
    """Look into every lost attempt whose window is closed; return how many were settled.

    A read that fails proves nothing: those orders are looked at again next time.
    """
    now = now or timezone.now()
    return sum(_reconcile_kind(kind, client, now) for kind in supplies())


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


def _reconcile_kind(kind: str, client: Client, now: datetime) -> int:
    lost = lost_attempts(kind)
    if not lost:
        return 0
    windows = {order.pk: window_of(order) for order in lost}
    # Asked in this order, none slips through: whoever has an id in one of these windows is being sent, or lost by now.
    sending = [window_of(order) for order in in_flight(kind)]
    open_questions = [*lost_attempts(kind), *settled_without_answer(kind, lost[0].sent_at or now)]
    all_windows = [(other, windows.get(other.pk) or window_of(other)) for other in open_questions]
    settled = 0
    for order in lost:
        window = windows[order.pk]
        if any(other.overlaps(window) for other in sending):
            _keep(order, window, why="an order is being sent whose id may lie in the window", now=now)
            continue
        rivals = [other for other, theirs in all_windows if other.pk != order.pk and theirs.overlaps(window)]
        settled += _reconcile(order, window, rivals, client, now)
    return settled


def _reconcile(order: Order, window: Window, rivals: list[Order], client: Client, now: datetime) -> bool:
    """Settle one lost attempt if there is proof, else keep what is known; return whether it was settled."""
    why = _not_scanned_because(order, window)
    if why:
        _keep(order, window, rivals=rivals, why=why, now=now)
        return False
    if _is_known(order, window, rivals, now):
        return False
    ids = window.ids()
    ours = known_ids(order.kind, ids)
    asked = [number for number in ids if number not in ours]
    try:
        answers = {number: supply_of(order).look_up(client, str(number)) for number in asked}
    except UpstreamError as error:
        _keep(order, window, rivals=rivals, why=f"upstream does not answer: {error}", now=now)
        return False
    candidates = {number: report for number, report in answers.items() if report is not None}
    found = _evidence(order, window, rivals, asked=len(asked), candidates=candidates)
    if not candidates:
        return _settle_absent(order, found, now)
    if len(candidates) > len(rivals) + 1:
        # More orders than we can have lost: strangers' orders answer to our key.
        evidence = {"order": order.pk, "candidates": sorted(candidates)}
        assumptions.note_broken(assumptions.Name.FOREIGN_NOT_FOUND, order.kind, evidence, now=now)
    [upstream_id, report] = next(iter(candidates.items()))
    if len(candidates) == 1 and not rivals and fits(order, report):
        return _settle_placed(order, str(upstream_id), report, found, now)
    _keep(order, window, rivals=rivals, why=DOUBT, now=now, found=found)
    return False


def _not_scanned_because(order: Order, window: Window) -> str:
    if not assumptions.holds(order.kind):
        return "an assumption about upstream's ids has failed"
    if window.first is None:
        return "we had no order id before the attempt, so the window has no beginning"
    if window.width is None:
        return "the window is open: it closes with the next order sent after the settling time, or by hand"
    if window.width > settings.RECONCILE_MAX_WINDOW:
        return f"the window is too wide: {window.width} ids"
    return ""


def _is_known(order: Order, window: Window, rivals: list[Order], now: datetime) -> bool:
    """Whether the same window was asked about lately, with the same doubt: it would only cost calls upstream."""
    found = order.reconciliation or {}
    same = found.get("window") == evidence_of(window) and found.get("rivals") == sorted(other.pk for other in rivals)
    if not same or found.get("why") != DOUBT:
        return False
    return now - datetime.fromisoformat(found["looked_at"]) < LOOK_AGAIN


def fits(order: Order, report: Report) -> bool:
    """Whether an upstream order can be this one: what remains is within its quantity, and it costs what was expected.

    A partial or canceled order costs less than expected, never more.
    """
    if report.remains is not None and not 0 <= report.remains <= order.quantity:
        return False
    charge = report.charge_upstream_micros
    if charge is None or report.status is None:
        return False
    tolerance = max(order.cost_upstream_micros // 100, 100)
    if report.status in (Status.PARTIAL, Status.CANCELED):
        return charge <= order.cost_upstream_micros + tolerance
    return abs(charge - order.cost_upstream_micros) <= tolerance


def _settle_absent(order: Order, found: dict[str, Any], now: datetime) -> bool:
    """It was not placed: send it again, or close the question where the buyer was refunded long ago."""
    if order.status != Status.UNKNOWN:
        return _close_question(order, {**found, "state": "absent"}, now)
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
            claim_token=None,  # a late answer to the lost attempt no longer fits this order
            window_closed_at=None,
            reconciliation={**found, "state": "absent"},
        )
    except WrongStatus:
        return False
    nudge(order.pk)
    return True


def _settle_placed(order: Order, upstream_id: str, report: Report, found: dict[str, Any], now: datetime) -> bool:
    """It was placed: adopt the id, or book the shop's loss where the buyer was refunded."""
    found = {**found, "state": "placed"}
    if order.status != Status.UNKNOWN:
        return _book_loss(order, upstream_id, report, found, now)
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
                reconciliation=found,
            )
            supply.record_placed(order, Placed(upstream_id), now)
    except (WrongStatus, IntegrityError) as error:
        log.warning("adoption_outrun", order_id=order.pk, upstream_id=upstream_id, error=str(error))
        return False
    return True


def _book_loss(order: Order, upstream_id: str, report: Report, found: dict[str, Any], now: datetime) -> bool:
    """The refunded attempt was carried out after all: the shop pays for it, and the books know."""
    try:
        with transaction.atomic():
            still_open = Order.objects.filter(pk=order.pk, upstream_id=None, status=Status.FAILED)
            booked = still_open.update(
                upstream_id=upstream_id,
                charge_upstream_micros=report.charge_upstream_micros,
                upstream_word=report.word[:100],
                attention="",
                reconciliation=found,
            )
            if not booked:
                return False
            evidence = {**found, "upstream_id": upstream_id, "charge": report.charge_upstream_micros}
            change = Change(order.pk, {}, evidence)
            write_events([change], code=Code.LOSS, status=order.status, now=now)
    except IntegrityError:
        return False
    return True


def _close_question(order: Order, found: dict[str, Any], now: datetime) -> bool:
    with transaction.atomic():
        still_open = Order.objects.filter(pk=order.pk, status=Status.FAILED, reconciliation__state="open")
        if not still_open.update(attention="", reconciliation=found):
            return False
        write_events([Change(order.pk, {}, found)], code=Code.NOT_SENT, status=order.status, now=now)
    return True


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
    kept = {name: before[name] for name in ("state", "closed_by_hand_at") if name in before}
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
