"""Closing the window of a lost order by hand, in a quiet shop where no later order does."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from orders.attempts.answers import State
from orders.attempts.windows import window_of
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.transitions import Change, WrongStatus, write_events
from orders.models import LostAttempt, Order, OrderEvent, Status


def close_window(order_id: int, *, last_id: int, actor: User, now: datetime) -> None:
    """Close a lost order's window by hand: the supplier's own list shows `last_id` as the newest of our orders.

    Raises WrongStatus when the order is not unknown any more, ValueError when the id is below the ones we had before
    the attempt or the settling time is not over, NotYourOwnMoney.
    """
    refuse_own_order(actor, Order.objects.select_related("user").get(pk=order_id))
    lost = LostAttempt.objects.filter(order_id=order_id, state=State.LOST)
    attempt = lost.first()
    if attempt is None:
        raise WrongStatus(f"order {order_id} is not unknown any more")
    settled_at = attempt.sent_at + timedelta(seconds=settings.SETTLE_SECONDS)
    if now < settled_at:
        raise ValueError(
            _("Too early: the supplier may still process it until %(time)s.") % {"time": f"{settled_at:%H:%M:%S}"}
        )
    first = window_of(attempt).first
    if first is not None and last_id < first - 1:
        raise ValueError(_("The newest order cannot be older than %(id)s.") % {"id": first - 1})
    with transaction.atomic():
        if not lost.filter(pk=attempt.pk).update(closed_at=now, closed_at_id=last_id):
            raise WrongStatus(f"order {order_id} is not unknown any more")
        change = Change(order_id, {}, {"window_closed_by_hand_at": last_id})
        write_events([change], code=OrderEvent.Code.ATTENTION, status=Status.UNKNOWN, now=now, actor=actor)
