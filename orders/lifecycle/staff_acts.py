"""What staff does about an order without deciding anything: writing something down, asking the supplier now."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.transitions import Change, WrongStatus, write_events
from orders.models import Order, OrderEvent


def write_note(order_id: int, text: str, *, actor: User, now: datetime) -> None:
    """Keep a note in the order's timeline, for staff alone. Raises accounts.power.NotYourOwnMoney."""
    with transaction.atomic():
        order = Order.objects.select_related("user").get(pk=order_id)
        refuse_own_order(actor, order)
        change = Change(order_id, evidence={"note": text})
        write_events([change], code=OrderEvent.Code.NOTE, status=order.status, now=now, actor=actor)


def ask_now(order_id: int, *, actor: User, now: datetime) -> None:
    """Have the supplier asked about an order at the next poll, within seconds, instead of when it would be its turn.

    Raises WrongStatus for one that is not asked about any more, or not yet, or accounts.power.NotYourOwnMoney.
    """
    refuse_own_order(actor, Order.objects.select_related("user").get(pk=order_id))
    if not Order.objects.filter(pk=order_id, next_poll_at__isnull=False).update(next_poll_at=now):
        raise WrongStatus(f"order {order_id} is not asked about")
