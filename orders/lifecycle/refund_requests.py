"""The request that stands for every refund staff decides on: it counts for who asked, or waits for a second person."""

import uuid
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from orders.lifecycle.transitions import WrongStatus
from orders.models import Order
from wallet.models import MoneyRequest
from wallet.operations.second_person import is_too_much_for_one, write_request

ABOUT = "order:"
UNKNOWN = "unknown"  # the act for an order whose answer never came
PART = "part"  # the act of a refund in part, with what had been refunded before
CLAIM = "claim"  # the act of an answer to a claim for goods; see orders.claims.answering


def ask_for_refund(
    order: Order, *, act: str, actor: User, now: datetime, part_micros: int | None = None, note: str = ""
) -> MoneyRequest:
    """Write down that staff gives back what is left of an order's price, or a part; part of the refund's transaction.

    The request returned is done, and the caller refunds the order now, or waits: then nothing may move. `act` is a name
    of orders.reconciliation.refunds_by_hand. Raises WrongStatus when nothing, or less than the part, is left,
    ValueError, whose text is for staff, when a refund of the order waits already.
    """
    about, left_micros = f"{ABOUT}{order.pk}", order.price_micros - order.refunded_micros
    amount_micros = left_micros if part_micros is None else part_micros
    if MoneyRequest.objects.filter(about=about, state=MoneyRequest.State.WAITING).exists():
        raise ValueError(_("A refund of this order is already waiting for a second person."))
    if not 0 < amount_micros <= left_micros:
        raise WrongStatus(f"the money for order {order.pk} has been given back")
    request = MoneyRequest(
        user=order.user,
        kind=MoneyRequest.Kind.REFUND,
        amount_micros=amount_micros,
        about=about,
        act=act,
        note=(note or order.title)[:300],
        request_id=str(uuid.uuid4()),
        asked_by=actor,
    )
    write_request(request, waits=is_too_much_for_one(actor, amount_micros, now), now=now)
    return request


def given_by_staff_micros(order: Order) -> int:
    """Return what staff has given back of an order in parts, for reasons of its own; one query."""
    parts = MoneyRequest.objects.filter(
        about=f"{ABOUT}{order.pk}", act__startswith=f"{PART} ", state=MoneyRequest.State.DONE
    )
    return parts.aggregate(sum=Sum("amount_micros"))["sum"] or 0


def count_waiting(actor: User, *, asked_at: datetime) -> int:
    """Return how many refunds that this person asked for at one moment wait for a second person."""
    waiting = MoneyRequest.objects.filter(kind=MoneyRequest.Kind.REFUND, state=MoneyRequest.State.WAITING)
    return waiting.filter(asked_by=actor, created_at=asked_at).count()
