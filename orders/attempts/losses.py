"""Booking what upstream has and no customer: the shop pays for it, and the books know."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from orders.attempts.answers import State, settle_attempt
from orders.lifecycle.attention import OF_WAITING, Flag, clear_flags, raise_flag, tell_of
from orders.lifecycle.transitions import Change, write_events
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.notices.admin_notices import tell_of_late_answer

log = structlog.get_logger(__name__)
Code = OrderEvent.Code
_ATTEMPTS = LostAttempt.objects.filter(order=OuterRef("pk"))
# Refunded without an answer: whether upstream has it is still open.
IN_QUESTION = Q(status=Status.FAILED, upstream_id=None) & Exists(_ATTEMPTS.filter(state__in=LostAttempt.IN_QUESTION))
# The same, or sent again by staff's word without proof.
BOOKS_ARE_OPEN = IN_QUESTION | Q(Exists(_ATTEMPTS.filter(state=State.ABANDONED)))


def book_own_loss(
    attempt: LostAttempt,
    upstream_id: str,
    charge_upstream_micros: int | None,
    *,
    evidence: dict[str, Any],
    now: datetime,
    actor: User | None = None,
) -> bool:
    """Book that a refunded attempt was carried out after all; return whether the question was still open.

    The order keeps upstream's id and is asked about until its charge is final.
    """
    order = attempt.order
    found = {"upstream_id": upstream_id, "charge_upstream_micros": charge_upstream_micros}
    try:
        with transaction.atomic():
            rows = Order.objects.filter(pk=order.pk, status=Status.FAILED, upstream_id=None)
            if not rows.update(**found, next_poll_at=now):
                return False
            if not settle_attempt(attempt, State.LOSS, now=now, **found):
                transaction.set_rollback(True)
                return False
            clear_flags([order.pk], OF_WAITING, now=now, actor=actor)
            told = {**evidence, **_loss(upstream_id, charge_upstream_micros)}
            write_events([Change(order.pk, {}, told)], code=Code.LOSS, status=Status.FAILED, now=now, actor=actor)
    except IntegrityError:
        return False  # the id has got an order of ours meanwhile
    return True


def book_second_loss(
    attempt: LostAttempt,
    upstream_id: str,
    charge_upstream_micros: int | None,
    *,
    evidence: dict[str, Any],
    now: datetime,
    actor: User | None = None,
) -> bool:
    """Book that an attempt which staff had called not placed was carried out: upstream has the order twice.

    Return whether that was still open. Found by the machine, it is a human's business.
    """
    found = {"upstream_id": upstream_id, "charge_upstream_micros": charge_upstream_micros}
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=attempt.order_id)
        if not settle_attempt(attempt, State.LOSS, now=now, **found):
            return False
        if actor is None:
            raise_flag(order.pk, Flag.BOUGHT_TWICE, now=now, upstream_ids=[upstream_id])
            tell_of_late_answer(order, upstream_id, now=now)
        told = {**evidence, **_loss(upstream_id, charge_upstream_micros)}
        write_events([Change(order.pk, {}, told)], code=Code.LOSS, status=order.status, now=now, actor=actor)
    return True


def book_unasked(order: Order, upstream_ids: Sequence[str], *, now: datetime) -> None:
    """Book what an answer named besides the one thing that was asked for: upstream has it, and nobody bought it.

    From then on the ids are known as ours, so reconciliation takes none of them for a stranger's. Their charge is
    taken to be the order's cost, as nobody waits for them. Part of the caller's transaction.
    """
    ours = Order.objects.filter(kind=order.kind, upstream_id__in=upstream_ids).values_list("upstream_id", flat=True)
    losses = LostAttempt.objects.filter(kind=order.kind, state=State.LOSS, upstream_id__in=upstream_ids)
    known = {*ours, *losses.values_list("upstream_id", flat=True)}
    extra = [upstream_id for upstream_id in dict.fromkeys(upstream_ids) if upstream_id not in known]
    if not extra:
        return
    for upstream_id in extra:
        LostAttempt.objects.create(
            order=order,
            kind=order.kind,
            number=order.attempts,
            sent_at=order.sent_at or now,
            id_before=order.last_upstream_id_before,
            cause=LostAttempt.Cause.MORE_THAN_ASKED,
            state=State.LOSS,
            upstream_id=upstream_id,
            charge_upstream_micros=order.cost_upstream_micros,
            created_at=now,
            settled_at=now,
        )
    if raise_flag(order.pk, Flag.MORE_THAN_ASKED, now=now, upstream_ids=extra):
        tell_of(order, Flag.MORE_THAN_ASKED, {"upstream_ids": extra}, now=now)
    changes = [Change(order.pk, {}, _loss(upstream_id, order.cost_upstream_micros)) for upstream_id in extra]
    write_events(changes, code=Code.LOSS, status=order.status, now=now)
    log.warning("more_placed_than_asked", order_id=order.pk, upstream_ids=extra)


def _loss(upstream_id: str, charge_upstream_micros: int | None) -> dict[str, Any]:
    return {"upstream_id": upstream_id, "charge": charge_upstream_micros}


def book_late_answer(claimed: Order, upstream_id: str, *, now: datetime) -> None:
    """Book the answer for an order that has been settled without it: upstream has an order more than we sell.

    `claimed` is the order as it was when it was sent.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=claimed.pk)
        # Staff may have found this very id meanwhile: then the answer only confirms it.
        if order.upstream_id == upstream_id:
            return
        raise_flag(order.pk, Flag.LATE_ANSWER, now=now, upstream_ids=[upstream_id])
        # The books need to know what upstream charged for; an order that was sent again has an id of its own.
        # What it really charged is asked from now on.
        if not Order.objects.filter(kind=order.kind, upstream_id=upstream_id).exists():
            unanswered = Order.objects.filter(pk=order.pk, upstream_id=None, status=Status.FAILED)
            cost = order.cost_upstream_micros
            unanswered.update(upstream_id=upstream_id, charge_upstream_micros=cost, next_poll_at=now)
        # Found, so reconciliation need not look for it, nor see in it a rival of another lost order.
        _keep_late_answer(claimed, upstream_id, now)
        change = Change(order.pk, {}, {"upstream_id": upstream_id})
        write_events([change], code=Code.LOSS, status=order.status, now=now)
        tell_of_late_answer(order, upstream_id, now=now)
    log.warning("late_answer", order_id=order.pk, upstream_id=upstream_id)


def _keep_late_answer(claimed: Order, upstream_id: str, now: datetime) -> None:
    """Keep the id on the row of the attempt that it answers; one that had been answered otherwise gets a second row."""
    of_this_attempt = LostAttempt.objects.filter(order=claimed, number=claimed.attempts)
    attempt = of_this_attempt.exclude(state__in=(State.ADOPTED, State.LOSS)).last()
    if attempt is not None:
        settle_attempt(attempt, State.LOSS, now=now, upstream_id=upstream_id)
        return
    LostAttempt.objects.create(
        order=claimed,
        kind=claimed.kind,
        number=claimed.attempts,
        sent_at=claimed.sent_at or now,
        id_before=claimed.last_upstream_id_before,
        cost_upstream_micros=claimed.cost_upstream_micros,
        cause=LostAttempt.Cause.SILENT_WORKER,
        state=State.LOSS,
        upstream_id=upstream_id,
        created_at=now,
        settled_at=now,
    )
