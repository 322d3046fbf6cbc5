"""Sending paid orders upstream: claim (committed) → call (no transaction open) → record.

Nothing is ever sent twice without proof: what may have arrived is `unknown` and waits.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from structlog.contextvars import bound_contextvars

from orders.attempts.answers import Cause, answer_came, note_lost
from orders.attempts.assumptions import check_ascending
from orders.attempts.losses import book_late_answer
from orders.attempts.windows import newest_upstream_id
from orders.fulfilment.claims import Claim, Turn, claim_order
from orders.fulfilment.clock_skew import clock_is_right
from orders.fulfilment.margin import Hold, hold_order, loss_at_sending
from orders.fulfilment.pauses import (
    Gate,
    end_probing,
    ensure_opening_balance,
    gate,
    pause_forwarding,
    take_probe_turn,
)
from orders.fulfilment.rate_units import needs_turn, take_turn
from orders.fulfilment.refusals import meaning_of
from orders.fulfilment.waiting import waiting_order
from orders.lifecycle.attention import OF_WAITING, Flag, clear_flags, raise_flag
from orders.lifecycle.clock import Clock
from orders.lifecycle.drift import Subject, note_drift
from orders.lifecycle.holds import NOT_HELD
from orders.lifecycle.listeners import tell_of_changes
from orders.lifecycle.quick_moves import QuickMove
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import Placed, Supply, related_rows, supplies, supply_of
from orders.lifecycle.transitions import WrongStatus, move_order
from orders.models import ForwardingPause, KnownRefusal, LostAttempt, Order, OrderEvent, RefundReason, Status
from orders.models.attempts import text_of_cause
from orders.notices.admin_notices import tell_of_unknown
from upstream.client import Client
from upstream.errors import InvalidApiKey, NotPlaced, OutcomeUnknown, Refused, Throttled, UpstreamError, Withheld

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
Meaning = KnownRefusal.Meaning
State = LostAttempt.State

_PLACED = QuickMove(
    came_from=Status.SENDING,
    to=Status.PENDING,
    code=Code.ACCEPTED,
    columns={"upstream_id": "text", "answered_at": "timestamptz", "next_poll_at": "timestamptz"},
    where="claim_token = %s",
)
OF_THE_EVENT = {"code", "now", "evidence"}
LONGEST_WAIT_SECONDS = 300
RECORD_AGAIN_SECONDS = (0.5, 2, 5)  # a database that restarts or fails over is usually back within these


def forward_order(order_id: int, *, client: Client, clock: Clock) -> bool:
    """Send one paid order upstream and record the answer; return whether an attempt was made.

    False means that the order is not (or no longer) waiting, that its time has not come, that forwarding is paused, or
    that upstream does not answer or is busy with our other calls.
    Raises nothing for what upstream does; every ending is a status of the order.
    """
    kind = Order.objects.filter(pk=order_id, status=Status.PAID).values_list("kind", flat=True).first()
    if kind is None or gate() is Gate.CLOSED or not ready(client, now=clock()):
        return False
    return forward_one(lambda: waiting_order(order_id, kind), client, clock=clock)


def forward_one(
    read: Callable[[], Order | None], client: Client, *, clock: Clock, newest_id: str | None = None
) -> bool:
    """Send the order that `read` returns and record the answer; return whether an attempt was made.

    It is read when there is a place for it upstream, so that its cost is today's and the claim's time is not spent on
    waiting. `newest_id` is an upstream id of its kind that was known before; None: it is looked up.
    """
    try:
        with client.slot():
            order = read()
            if order is None:
                return False
            with bound_contextvars(**order.log_ids):
                if hold := loss_at_sending(order):
                    _refuse_loss(order, hold, now=clock())
                    return False
                last_id = newest_upstream_id(order.kind) if newest_id is None else newest_id
                return _claim_and_send(order, client, clock, last_id)
    except Withheld as error:
        log.info("order_put_off", reason=str(error))
        client.answers()  # an outage ends when somebody tries; this order goes with the next sweep then
        return False


def _refuse_loss(order: Order, hold: Hold, *, now: datetime) -> None:
    """Keep an order that would lose money for the admin; who waits in front of the screen is refunded at once."""
    if supply_of(order).patience is None:
        hold_order(order, hold, now=now)
        return
    try:
        _fail(order, Q(status=Status.PAID), evidence=hold.evidence, now=now)
    except WrongStatus:
        log.info("order_moved_on", order_id=order.pk)


def _claim_and_send(order: Order, client: Client, clock: Clock, last_id: str) -> bool:
    turns: list[Turn] = [partial(take_turn, order)] if needs_turn(order) else []
    supply = supply_of(order)
    cost_micros, probing = supply.cost_now(order), False
    claim = claim_order(order, now=clock(), last_id=last_id, cost_micros=cost_micros, turns=turns)
    if claim is None and gate() is Gate.PROBING:
        turns, probing = [partial(take_probe_turn, order.pk), *turns], True
        claim = claim_order(order, now=clock(), last_id=last_id, cost_micros=cost_micros, turns=turns, probing=True)
    if claim is None:
        return False
    if not claim.stands(now=clock(), call_seconds=client.timeout_seconds):
        _record_not_placed(claim, supply, "the claim was too old to send", now=clock())
        return False
    _send(claim, supply, client, clock)
    if probing:
        end_probing(order.pk, now=clock())
    return True


def _send(claim: Claim, supply: Supply, client: Client, clock: Clock) -> None:
    """Make the call and record which of the four answers came."""
    order_id = claim.order.pk
    try:
        placed = supply.send(client, claim.order)
    except (NotPlaced, Throttled) as error:
        _record_not_placed(claim, supply, str(error), now=clock())
    except Refused as refusal:
        _record_refused(claim, supply, refusal, now=clock())
    except OutcomeUnknown as error:
        _record_unknown(claim, supply, Cause.NO_ANSWER, str(error), now=clock())
    except Exception as error:
        # Ours or a library's mistake: the request may have left, so this is no reason to send again.
        log.exception("forwarding_failed", order_id=order_id)
        _record_unknown(claim, supply, Cause.CRASHED, type(error).__name__, now=clock())
    else:
        # The log line is the last witness should the database be lost at this very moment.
        log.info("order_placed", order_id=order_id, upstream_id=placed.upstream_id)
        _record_placed(claim, supply, placed, now=clock())


def release_stale_claims(*, now: datetime) -> int:
    """Make claims past their deadline `unknown`: the worker died between claim and record. Return how many."""
    released = 0
    for order in Order.objects.stale(now).select_related(*related_rows()):
        claim = Claim(order, order.claim_token, order.claim_deadline)  # type: ignore[arg-type]  # constraint: not null
        try:
            with bound_contextvars(**order.log_ids):
                _record_unknown(claim, supply_of(order), Cause.SILENT_WORKER, "", now=now)
        except Exception:  # the others must not wait for this one
            log.exception("claim_not_released", order_id=order.pk)
            continue
        released += 1
    return released


def give_up_waiting(*, now: datetime) -> int:
    """Fail and refund unsent orders whose buyers do not wait any longer (numbers). Return how many."""
    given_up = 0
    too_late = Q(pk=None)
    for kind, supply in supplies().items():
        if supply.patience is not None:
            too_late |= Q(kind=kind, created_at__lte=now - supply.patience)
    for order in Order.objects.filter(too_late, status=Status.PAID).select_related(*related_rows()):
        try:
            _fail(order, Q(status=Status.PAID), evidence={"reason": "not sent in time"}, now=now)
        except WrongStatus:
            continue  # a worker took it at the last moment
        except Exception:  # the others must not wait for this one
            log.exception("order_not_given_up", order_id=order.pk)
            continue
        given_up += 1
    return given_up


def ready(client: Client, *, now: datetime) -> bool:
    """Whether the clock is right, and the books have a beginning, which they need before the first order is sent."""
    if not clock_is_right():
        return False
    try:
        ensure_opening_balance(client=client)
    except InvalidApiKey as refusal:
        pause_forwarding(reason=ForwardingPause.Reason.KEY, detail=refusal.text, now=now)
        return False
    except UpstreamError as error:
        log.warning("upstream_not_ready", error=str(error))
        return False
    return True


def _record_placed(claim: Claim, supply: Supply, placed: Placed, *, now: datetime) -> None:
    """Keep upstream's order id, whatever happened to the order or to the database meanwhile."""
    try:
        for pause_seconds in RECORD_AGAIN_SECONDS:
            try:
                _keep_placed(claim, supply, placed, now)
                return
            except (OperationalError, InterfaceError):
                log.exception("placed_order_not_recorded_yet", order_id=claim.order.pk, upstream_id=placed.upstream_id)
                connection.close()  # it may be dead; the next statement opens another one
                time.sleep(pause_seconds)
        _keep_placed(claim, supply, placed, now)
    except WrongStatus:
        for upstream_id in (placed.upstream_id, *placed.also):
            book_late_answer(claim.order, upstream_id, now=now)
    except Exception as error:  # an id that another order has, say: the claim must not end without the evidence
        log.exception("placed_order_not_recorded", order_id=claim.order.pk, upstream_id=placed.upstream_id)
        detail = f"{', '.join((placed.upstream_id, *placed.also))} ({type(error).__name__})"
        _record_unknown(claim, supply, Cause.NOT_RECORDED, detail, now=now)


def _keep_placed(claim: Claim, supply: Supply, placed: Placed, now: datetime) -> None:
    order = claim.order
    order.upstream_id, order.status = placed.upstream_id, Status.PENDING
    fields: dict[str, Any] = {
        "code": Code.ACCEPTED,
        "now": now,
        "evidence": {"upstream_id": placed.upstream_id},
        "upstream_id": placed.upstream_id,
        "answered_at": now,
        "next_poll_at": supply.next_poll(order, now),
    }
    ours = Q(claim_token=claim.token)
    with transaction.atomic():
        try:
            _move_placed(claim, fields)
        except WrongStatus:
            # It had been given up as lost, and still waits: whatever was noted of that is over.
            move_order(order.pk, Status.PENDING, where=ours, **fields, **NOT_HELD)
            answer_came(order, State.ADOPTED, now=now, upstream_id=placed.upstream_id)
        supply.record_placed(order, placed, now)
        check_ascending(order, placed.upstream_id, now=now)


def _move_placed(claim: Claim, fields: dict[str, Any]) -> None:
    """Move an order whose claim stands. Raises WrongStatus where it has been given up as lost meanwhile."""
    order_id = claim.order.pk
    if not _in_one_statement():
        ours = Q(claim_token=claim.token, status=Status.SENDING)
        move_order(order_id, Status.PENDING, where=ours, **fields)
        return
    now, evidence = fields["now"], fields["evidence"]
    written = {name: value for name, value in fields.items() if name not in OF_THE_EVENT}
    if not _PLACED.move(order_id, written, where=[claim.token], evidence=evidence, now=now):
        raise WrongStatus(f"#{order_id} is not being sent any more")
    tell_of_changes([order_id], Code.ACCEPTED, now=now)


def _in_one_statement() -> bool:
    return connection.vendor == "postgresql"


def _record_not_placed(claim: Claim, supply: Supply, reason: str, *, now: datetime) -> None:
    """Back to the queue, to be tried again a little later: surely nothing reached upstream."""
    order = claim.order
    wait = min(2 ** min(order.attempts, 16), LONGEST_WAIT_SECONDS)
    if supply.patience is not None:
        if now - order.created_at >= supply.patience:
            _fail_claimed(claim, reason, now)
            return
        wait = min(wait, 2)
    _put_back(claim, reason, now, not_before=now + timedelta(seconds=wait))


def _put_back(claim: Claim, reason: str, now: datetime, **fields: Any) -> None:
    with transaction.atomic():
        if _move_claimed(claim, Status.PAID, Code.NOT_SENT, {"reason": reason}, now, **fields):
            answer_came(claim.order, State.ABSENT, now=now)


def _record_refused(claim: Claim, supply: Supply, refusal: Refused, *, now: datetime) -> None:
    order, meaning = claim.order, meaning_of(refusal.text, refusal.http_status)
    if meaning is None:
        _record_unknown(claim, supply, Cause.UNLISTED_TEXT, refusal.text, now=now)
        sample = {"kind": order.kind, "order": order.pk, "http_status": refusal.http_status}
        note_drift(Subject.ERROR_TEXT, refusal.text, sample, now=now)
        return
    if meaning == Meaning.LATER:
        _record_not_placed(claim, supply, refusal.text, now=now)
        return
    if meaning in (Meaning.KEY, Meaning.BALANCE):
        pause_forwarding(reason=meaning, detail=refusal.text, now=now)
        if supply.patience is None:
            _put_back(claim, refusal.text, now)
            return
    with transaction.atomic():
        if _fail_claimed(claim, refusal.text, now) and meaning == Meaning.FLAG:
            raise_flag(order.pk, Flag.REFUSED, now=now, answer=refusal.text[:300])
        if meaning == Meaning.SERVICE and order.service is not None:
            type(order.service).objects.filter(pk=order.service.pk).update(withdrawn_at=now)


def _record_unknown(claim: Claim, supply: Supply, cause: str, detail: str, *, now: datetime) -> None:
    """Perhaps placed, perhaps not. Never resent; a kind whose buyers wait is refunded at once."""
    order, evidence = claim.order, {"cause": cause, "detail": detail}
    with transaction.atomic():
        if not _move_claimed(claim, Status.UNKNOWN, Code.UNKNOWN, evidence, now):
            return
        if supply.refund_unknown:
            _fail(order, Q(claim_token=claim.token), evidence=evidence, now=now)
        # Refunded, but whether it was bought stays a question: reconciliation looks for it.
        note_lost(order, cause, detail, now=now, state=State.SOUGHT if supply.refund_unknown else State.LOST)
        tell_of_unknown(order, text_of_cause(cause, detail), now=now)
    log.warning("order_unknown", order_id=order.pk, cause=cause, detail=detail)


def _move_claimed(claim: Claim, to: str, code: str, evidence: dict[str, Any], now: datetime, **fields: Any) -> bool:
    """Move an order we hold; return False when it has been settled meanwhile and there is nothing to record."""
    ours = Q(claim_token=claim.token)
    try:
        move_order(claim.order.pk, to, code=code, now=now, where=ours, evidence=evidence, **fields)
    except WrongStatus:
        log.warning("claim_lost", order_id=claim.order.pk, **evidence)
        return False
    return True


def _fail_claimed(claim: Claim, reason: str, now: datetime) -> bool:
    """Fail an order we hold; return False when it has been settled meanwhile."""
    with transaction.atomic():
        try:
            _fail(claim.order, Q(claim_token=claim.token), evidence={"reason": reason}, now=now)
        except WrongStatus:
            log.warning("claim_lost", order_id=claim.order.pk, reason=reason)
            return False
        answer_came(claim.order, State.ABSENT, now=now)
    return True


def _fail(order: Order, where: Q, *, evidence: dict[str, Any], now: datetime) -> None:
    """Fail an order that was not placed and give all its money back. Raises WrongStatus when it has moved on."""
    with transaction.atomic():
        move_order(
            order.pk,
            Status.FAILED,
            code=Code.REFUSED,
            now=now,
            where=where,
            evidence=evidence,
            finished_at=now,
            next_poll_at=None,
        )
        clear_flags([order.pk], OF_WAITING, now=now)
        order.status = Status.FAILED
        log.info("order_ended", **order.log_ids, status=order.status, evidence=evidence)
        refund_up_to(order, order.price_micros, why=RefundReason.FAILED, now=now)
        supply_of(order).record_closed(order, now)
