"""What the admin decides about an order whose answer never came."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from orders.attempts.losses import (
    BOOKS_ARE_OPEN,
    IN_QUESTION,
    book_own_loss,
    book_second_loss,
    close_abandoned,
)
from orders.attempts.windows import (
    ABANDONED,
    REFUNDED,
    abandoned_attempts,
    whole,
    with_abandoned,
)
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import Placed, supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.models import Order, OrderEvent, Status
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
    now: datetime | None = None,
) -> None:
    """The unknown order is upstream's `upstream_id`, which upstream is asked about first: follow it from here on.

    Raises WrongStatus when the order is not unknown any more, and NotConfirmed as `confirm_upstream_id`; `force` and
    `client` are its.
    """
    now = now or timezone.now()
    order = _unknown(order_id)
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
                attention="",
            )
            supply.record_placed(order, Placed(confirmed.upstream_id), now)
    except IntegrityError:
        text = _("Upstream order %(id)s belongs to another order.")
        raise WrongStatus(text % {"id": confirmed.upstream_id}) from None


def resolve_as_not_placed(order_id: int, *, actor: User, now: datetime | None = None) -> None:
    """The unknown order was not placed: send it again. Raises WrongStatus.

    Staff may be wrong. The attempt is still looked for; its answer, should it come while the order waits, is taken for
    the order, and is booked as the shop's loss later.
    """
    now = now or timezone.now()
    order = _unknown(order_id)
    move_order(
        order_id,
        Status.PAID,
        code=Code.RESOLVED,
        now=now,
        where=STILL_UNKNOWN & Q(sent_at=order.sent_at),
        actor=actor,
        attention="",
        not_before=None,
        # What closed this attempt's window says nothing about the next one's.
        window_closed_at=None,
        reconciliation=with_abandoned(order),
    )


def resolve_by_refund(order_id: int, *, actor: User, now: datetime | None = None) -> None:
    """Give the money back and close the unknown order; should it exist, it is the shop's loss. Raises WrongStatus."""
    now = now or timezone.now()
    order = Order.objects.select_related("user").get(pk=order_id)
    with transaction.atomic():
        move_order(
            order_id,
            Status.FAILED,
            code=Code.RESOLVED,
            now=now,
            where=STILL_UNKNOWN,
            actor=actor,
            attention="",
            finished_at=now,
            # Should it exist upstream, it must not be taken for another lost order.
            reconciliation={**(order.reconciliation or {}), "state": REFUNDED},
        )
        order.status = Status.FAILED
        refund_up_to(order, order.price_micros, why="staff", now=now, actor=actor)
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
    now: datetime | None = None,
) -> None:
    """Upstream has this order as `upstream_id`, though it was refunded or sent again: it is the shop's loss.

    Raises WrongStatus when nothing about the order is in question, ValueError without a note, and NotConfirmed as
    `confirm_upstream_id`; `force` and `client` are its.
    """
    now = now or timezone.now()
    order = _in_question(order_id, note)
    confirmed = confirm_upstream_id(order, upstream_id, client=client, force=force)
    charge = confirmed.charge_upstream_micros
    evidence = {**confirmed.evidence, "note": note}
    if Order.objects.filter(IN_QUESTION, pk=order_id).exists():
        found = {**(order.reconciliation or {}), "state": "placed"}
        booked = book_own_loss(order, confirmed.upstream_id, charge, found, now=now, actor=actor, evidence=evidence)
    else:
        key = _likeliest(order, confirmed.upstream_id)
        booked = book_second_loss(
            order, confirmed.upstream_id, charge, key=key, now=now, actor=actor, evidence=evidence
        )
    if not booked:
        raise WrongStatus(f"order {order_id} has been looked into meanwhile")


def close_question(order_id: int, *, note: str, actor: User, now: datetime | None = None) -> None:
    """Upstream has nothing of this order that was refunded or sent again: nothing is left open in the books.

    Raises WrongStatus when nothing about the order is in question, ValueError without a note.
    """
    now = now or timezone.now()
    order = _in_question(order_id, note)
    abandoned = list((order.reconciliation or {}).get(ABANDONED, {}))
    with transaction.atomic():
        closed = [key for key in abandoned if close_abandoned(order_id, key)]
        row = Order.objects.select_for_update().get(pk=order_id)
        found = {**(row.reconciliation or {}), "state": "absent"}
        refunded = Order.objects.filter(IN_QUESTION, pk=order_id).update(attention="", reconciliation=found)
        if not refunded and not closed:
            raise WrongStatus(f"order {order_id} has been looked into meanwhile")
        change = Change(order_id, {}, {"not_bought": note, "seen": row.attention})
        write_events([change], code=Code.ATTENTION, status=row.status, now=now, actor=actor)


def _unknown(order_id: int) -> Order:
    order = Order.objects.get(pk=order_id)
    if order.status != Status.UNKNOWN:
        raise WrongStatus(f"order {order_id} is not unknown any more")
    return order


def _in_question(order_id: int, note: str) -> Order:
    if not note.strip():
        raise ValueError(_("Say how you know: the note stays in the order's events."))
    order = Order.objects.select_related("user").get(pk=order_id)
    if not is_in_question(order):
        raise WrongStatus(f"nothing about order {order_id} is in question")
    return order


def _likeliest(order: Order, upstream_id: str) -> str:
    """Return the abandoned attempt in whose window this id lies, else the first one."""
    attempts = [attempt for attempt in abandoned_attempts(order.kind) if attempt.order.pk == order.pk]
    number = whole(upstream_id)
    near = [attempt.key for attempt in attempts if number is not None and attempt.window.may_hold(number)]
    return (near or [attempt.key for attempt in attempts] or [""])[0]
