"""What the admin decides about an order whose answer never came."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from orders.models import Order, OrderEvent, Status
from orders.operations.moves import WrongStatus, move_order
from orders.operations.refunds import refund_up_to
from orders.operations.windows import REFUNDED
from orders.supply import Placed, supply_of

Code = OrderEvent.Code
STILL_UNKNOWN = Q(status=Status.UNKNOWN)


def resolve_as_placed(order_id: int, *, upstream_id: str, actor: User, now: datetime | None = None) -> None:
    """The unknown order is upstream's `upstream_id`: follow it from here on.

    Raises WrongStatus when the order is not unknown any more, or when the id belongs to another order.
    """
    now = now or timezone.now()
    order = Order.objects.get(pk=order_id)
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
                evidence={"upstream_id": upstream_id},
                upstream_id=upstream_id,
                next_poll_at=now,
                attention="",
            )
            supply.record_placed(order, Placed(upstream_id), now)
    except IntegrityError:
        raise WrongStatus(_("Upstream order %(id)s belongs to another order.") % {"id": upstream_id}) from None


def resolve_as_not_placed(order_id: int, *, actor: User, now: datetime | None = None) -> None:
    """The unknown order was surely not placed: send it again. Raises WrongStatus."""
    now = now or timezone.now()
    move_order(
        order_id,
        Status.PAID,
        code=Code.RESOLVED,
        now=now,
        where=STILL_UNKNOWN,
        actor=actor,
        attention="",
        not_before=None,
        claim_token=None,  # a late answer to the old attempt no longer fits this order
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
