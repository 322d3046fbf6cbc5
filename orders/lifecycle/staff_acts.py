"""What staff does about an order without settling it: a note, asking the supplier now, holding it back, its figures."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy

from accounts.models import User
from orders.lifecycle.attention import OF_HOLDS, clear_flags, raise_flag
from orders.lifecycle.holds import NOT_HELD
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.transitions import Change, WrongStatus, write_events
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import DELIVERED, UPSTREAM_OPEN, AttentionFlag, HoldReason, Kind, Order, OrderEvent, Status

Code = OrderEvent.Code
HELD_BY_STAFF = {"status": Status.PAID, "held_because": HoldReason.STAFF}
PARTIAL_REMAINS = gettext_lazy(
    "What remains of a partial order decides what its customer gets back, so it stays as upstream said. Refund a part."
)
COUNTED = (*UPSTREAM_OPEN, *DELIVERED)


def write_note(order_id: int, text: str, *, actor: User, now: datetime) -> None:
    """Keep a note in the order's timeline, for staff alone. Raises accounts.power.NotYourOwnMoney."""
    with transaction.atomic():
        order = Order.objects.select_related("user").get(pk=order_id)
        refuse_own_order(actor, order)
        change = Change(order_id, evidence={"note": text})
        write_events([change], code=Code.NOTE, status=order.status, now=now, actor=actor)


def ask_now(order_id: int, *, actor: User, now: datetime) -> None:
    """Have the supplier asked about an order at the next poll, within seconds, instead of when it would be its turn.

    Raises WrongStatus for one that is not asked about any more, or not yet, or accounts.power.NotYourOwnMoney.
    """
    refuse_own_order(actor, Order.objects.select_related("user").get(pk=order_id))
    if not Order.objects.filter(pk=order_id, next_poll_at__isnull=False).update(next_poll_at=now):
        raise WrongStatus(f"order {order_id} is not asked about")


def hold_by_hand(order_id: int, *, note: str, actor: User, now: datetime) -> None:
    """Keep a paid order in its place, unsent, until staff releases or refunds it; `note` says why, for staff.

    Raises WrongStatus when it is on its way already, or held for another reason; NotYourOwnMoney.
    """
    with transaction.atomic():
        order = Order.objects.select_related("user").get(pk=order_id)
        refuse_own_order(actor, order)
        details = {"note": note}
        free = Order.objects.filter(pk=order_id, status=Status.PAID, held_because="")
        if not free.update(held_because=HoldReason.STAFF, held_details=details, held_until=None):
            raise WrongStatus(f"order {order_id} cannot be held")
        raise_flag(order_id, AttentionFlag.Code.HELD_BY_STAFF, now=now, **details)
        change = Change(order_id, {}, {"reason": HoldReason.STAFF, "details": details})
        write_events([change], code=Code.ATTENTION, status=Status.PAID, now=now, actor=actor)


def release_by_hand(order_id: int, *, actor: User, now: datetime) -> None:
    """Let an order that staff has held back go on as it would have: what it costs is looked at again before it is sent.

    Raises WrongStatus when staff does not hold it, NotYourOwnMoney.
    """
    with transaction.atomic():
        order = Order.objects.select_related("user").get(pk=order_id)
        refuse_own_order(actor, order)
        if not Order.objects.filter(pk=order_id, **HELD_BY_STAFF).update(**NOT_HELD):
            raise WrongStatus(f"order {order_id} is not held by staff")
        clear_flags([order_id], OF_HOLDS, now=now, actor=actor)
        change = Change(order_id, {}, {"released": HoldReason.STAFF, "details": order.held_details})
        write_events([change], code=Code.ATTENTION, status=Status.PAID, now=now, actor=actor)
        wake_forwarder(order_id)


def may_be_counted(order: Order) -> bool:
    """Whether an order has a start count and remains that staff may correct."""
    return order.kind == Kind.SERVICE and order.status in COUNTED


def set_counts(
    order_id: int,
    *,
    start_count: int | None,
    remains: int | None,
    note: str,
    seen: tuple[int | None, int | None],
    actor: User,
    now: datetime,
) -> None:
    """Correct what an order's customer reads of its start count and of what remains, until upstream says otherwise.

    Moves no money, now or later: what remains of a partial order decides what is given back, so that is upstream's to
    say, and staff refunds a part instead. `seen` is what both were when staff decided; `note` says how it knows.

    Raises WrongStatus when they have changed since, or the order has none; NotYourOwnMoney; ValueError, whose text is
    for staff, for other remains of a partial order.
    """
    if (start_count or 0) < 0 or (remains or 0) < 0:
        raise ValueError("counts are not negative")
    with transaction.atomic():
        order = Order.objects.select_related("user").get(pk=order_id)
        refuse_own_order(actor, order)
        if order.status == Status.PARTIAL and remains != order.remains:
            raise ValueError(PARTIAL_REMAINS)
        same = Order.objects.filter(
            pk=order_id, kind=Kind.SERVICE, status__in=COUNTED, start_count=seen[0], remains=seen[1]
        )
        if not same.update(start_count=start_count, remains=remains):
            raise WrongStatus(f"the counts of order {order_id} have changed")
        data = {"start_count": start_count, "remains": remains}
        evidence = {"note": note, "before": {"start_count": seen[0], "remains": seen[1]}}
        write_events([Change(order_id, data, evidence)], code=Code.COUNTS, status=order.status, now=now, actor=actor)
