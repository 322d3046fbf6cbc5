"""The queue of orders that a human should look at: taking one off it."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from orders.lifecycle.transitions import Change, WrongStatus, write_events
from orders.models import Order, OrderEvent, Status


def clear_attention(order_id: int, *, actor: User, now: datetime | None = None) -> None:
    """Take a settled order off the queue; its timeline keeps, for staff, what the flag said and who took it off.

    Raises WrongStatus when nothing is flagged, or when the order is unknown: that one has to be decided.
    """
    with transaction.atomic():
        order = Order.objects.get(pk=order_id)
        flagged = Order.objects.filter(pk=order_id, attention=order.attention).exclude(status=Status.UNKNOWN)
        if not order.attention or not flagged.update(attention=""):
            raise WrongStatus(f"order {order_id} has nothing to clear")
        change = Change(order_id, evidence={"seen": order.attention})
        write_events(
            [change], code=OrderEvent.Code.ATTENTION, status=order.status, now=now or timezone.now(), actor=actor
        )
