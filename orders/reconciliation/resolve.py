"""What the admin decides about an order whose answer never came."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from orders.attempts.answers import NOT_LOOKED_AT, State, settle_attempt, settle_waiting
from orders.attempts.losses import BOOKS_ARE_OPEN, book_own_loss, book_second_loss
from orders.attempts.windows import whole, window_of
from orders.lifecycle.attention import OF_WAITING, clear_flags, evidence_of
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import Placed, supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.models import LostAttempt, Order, OrderEvent, RefundReason, Status
from orders.models.attempts import LostAttemptQuerySet
from orders.reconciliation.confirm import confirm_upstream_id
from upstream.client import Client

Code = OrderEvent.Code
STILL_UNKNOWN = Q(status=Status.UNKNOWN)


def resolve_as_placed(
    order_id: int,
    *,
    upstream_id: str,
    actor: User,
    client: Client | None,
    force: bool = False,
    now: datetime,
) -> None:
    """The unknown order is upstream's `upstream_id`, which upstream is asked about first: follow it from here on.

    Raises WrongStatus when the order is not unknown any more, NotYourOwnMoney, and NotConfirmed as
    `confirm_upstream_id`; `force` and `client` are its.
    """
    order = _unknown(order_id, actor)
    confirmed = confirm_upstream_id(order, upstream_id, client=client, force=force)
    supply = supply_of(order)
    order.status = Status.PENDING
    try:
        with transaction.atomic():
            move_order(
                order_id,
                Status.PENDING,
                code=Code.RESOLVED,
                now=now,
                where=STILL_UNKNOWN,
                actor=actor,
                evidence=confirmed.evidence,
                upstream_id=confirmed.upstream_id,
                next_poll_at=now,
            )
            _settle_found(order, confirmed.upstream_id, actor=actor, now=now)
            supply.record_placed(order, Placed(confirmed.upstream_id), now)
    except IntegrityError:
        text = _("Upstream order %(id)s is already linked to another order.")
        raise WrongStatus(text % {"id": confirmed.upstream_id}) from None


def _settle_found(order: Order, upstream_id: str, *, actor: User, now: datetime) -> None:
    """Keep the id with the attempt it answers: an earlier one where the last one's window cannot hold it.

    The last attempt is looked for on then: should upstream have that as well, the order was bought twice.
    """
    number = whole(upstream_id)
    last = LostAttempt.objects.filter(order=order, state=State.LOST).first()
    earlier = LostAttempt.objects.filter(order=order, state=State.ABANDONED).order_by("-sent_at")
    if last is not None and number is not None and not window_of(last).may_hold(number):
        for attempt in earlier:
            if window_of(attempt).may_hold(number):
                settle_attempt(attempt, State.ADOPTED, now=now, upstream_id=upstream_id)
                settle_waiting(order.pk, State.ABANDONED, now=now, actor=actor, **NOT_LOOKED_AT)
                return
    settle_waiting(order.pk, State.ADOPTED, now=now, actor=actor, upstream_id=upstream_id)


def resolve_as_not_placed(order_id: int, *, actor: User, now: datetime) -> None:
    """The unknown order was not placed: send it again. Raises WrongStatus, NotYourOwnMoney.

    Staff may be wrong. The attempt is still looked for; its answer, should it come while the order waits, is taken for
    the order, and is booked as the shop's loss later.
    """
    order = _unknown(order_id, actor)
    with transaction.atomic():
        move_order(
            order_id,
            Status.PAID,
            code=Code.RESOLVED,
            now=now,
            where=STILL_UNKNOWN & Q(sent_at=order.sent_at),
            actor=actor,
            not_before=None,
        )
        settle_waiting(order_id, State.ABANDONED, now=now, actor=actor, **NOT_LOOKED_AT)


def resolve_by_refund(order_id: int, *, actor: User, now: datetime) -> None:
    """Give the money back and close the unknown order; should it exist, it is the shop's loss.

    Raises WrongStatus, NotYourOwnMoney.
    """
    order = Order.objects.select_related("user").get(pk=order_id)
    refuse_own_order(actor, order)
    with transaction.atomic():
        move_order(
            order_id,
            Status.FAILED,
            code=Code.RESOLVED,
            now=now,
            where=STILL_UNKNOWN,
            actor=actor,
            finished_at=now,
        )
        # Should it exist upstream, it must not be taken for another lost order.
        settle_waiting(order_id, State.REFUNDED, now=now, actor=actor)
        order.status = Status.FAILED
        refund_up_to(order, order.price_micros, why=RefundReason.STAFF, now=now, actor=actor)
        supply_of(order).record_closed(order, now)


def is_in_question(order: Order) -> bool:
    """Whether the books do not know if upstream has an attempt of this order that is not waited for any more."""
    return Order.objects.filter(BOOKS_ARE_OPEN, pk=order.pk).exists()


def book_loss(
    order_id: int,
    *,
    upstream_id: str,
    note: str,
    actor: User,
    client: Client | None,
    force: bool = False,
    now: datetime,
) -> None:
    """Upstream has this order as `upstream_id`, though it was refunded or sent again: it is the shop's loss.

    Raises WrongStatus when nothing about the order is in question, ValueError without a note, NotYourOwnMoney, and
    NotConfirmed as `confirm_upstream_id`; `force` and `client` are its.
    """
    order = _in_question(order_id, note, actor)
    confirmed = confirm_upstream_id(order, upstream_id, client=client, force=force)
    attempt = _likeliest(order, confirmed.upstream_id)
    book = book_own_loss if attempt.state in LostAttempt.IN_QUESTION else book_second_loss
    evidence = {**confirmed.evidence, "note": note}
    charge = confirmed.charge_upstream_micros
    if not book(attempt, confirmed.upstream_id, charge, evidence=evidence, now=now, actor=actor):
        raise WrongStatus(f"order {order_id} has been looked into meanwhile")


def close_question(order_id: int, *, note: str, actor: User, now: datetime) -> None:
    """Upstream has nothing of this order that was refunded or sent again: nothing is left open in the books.

    Raises WrongStatus when nothing about the order is in question, ValueError without a note, NotYourOwnMoney.
    """
    _in_question(order_id, note, actor)
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        attempts = list(_open_questions(order))
        closed = [settle_attempt(attempt, State.ABSENT, now=now) for attempt in attempts]
        if not any(closed):
            raise WrongStatus(f"order {order_id} has been looked into meanwhile")
        refunded = any(attempt.state in LostAttempt.IN_QUESTION for attempt in attempts)
        seen = clear_flags([order_id], OF_WAITING, now=now, actor=actor) if refunded else []
        change = Change(order_id, {}, {"not_bought": note, "seen": evidence_of(seen)})
        write_events([change], code=Code.ATTENTION, status=order.status, now=now, actor=actor)


def _open_questions(order: Order) -> LostAttemptQuerySet:
    return LostAttempt.objects.filter(order=order, state__in=(*LostAttempt.IN_QUESTION, State.ABANDONED))


def _unknown(order_id: int, actor: User) -> Order:
    order = Order.objects.select_related("user").get(pk=order_id)
    refuse_own_order(actor, order)
    if order.status != Status.UNKNOWN:
        raise WrongStatus(f"order {order_id} is not unknown any more")
    return order


def _in_question(order_id: int, note: str, actor: User) -> Order:
    if not note.strip():
        raise ValueError(_("Explain how you know: the note stays in the order's events."))
    order = Order.objects.select_related("user").get(pk=order_id)
    refuse_own_order(actor, order)
    if not is_in_question(order):
        raise WrongStatus(f"nothing about order {order_id} is in question")
    return order


def _likeliest(order: Order, upstream_id: str) -> LostAttempt:
    """Return the refunded attempt if there is one, else the abandoned one whose window may hold this id, or the first.

    Raises WrongStatus when there is none any more.
    """
    attempts = list(_open_questions(order).select_related("order"))
    number = whole(upstream_id)
    refunded = [attempt for attempt in attempts if attempt.state in LostAttempt.IN_QUESTION]
    near = [attempt for attempt in attempts if number is not None and window_of(attempt).may_hold(number)]
    for attempt in (*refunded, *near, *attempts):
        return attempt
    raise WrongStatus(f"order {order.pk} has been looked into meanwhile")
