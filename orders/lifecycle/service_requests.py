"""What a customer may still want of an order: to cancel it unsent, to have it refilled or stopped at work."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from orders.lifecycle.attention import OF_HOLDS, clear_flags
from orders.lifecycle.holds import NOT_HELD
from orders.lifecycle.listeners import tell_of_changes
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import supply_of
from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    write_events,
)
from orders.models import DELIVERED, UPSTREAM_OPEN, Order, OrderEvent, RefundReason, ServiceRequest, Status

Code = OrderEvent.Code
State = ServiceRequest.State
RequestKind = ServiceRequest.Kind
REQUESTS_A_DAY = 5  # of one kind for one order
# What listeners hear.
REQUESTED = "service_requested"
REQUEST_CLOSED = "service_request_closed"


class RequestRefused(Exception):
    """The order does not allow this kind now; the text is for the customer. Nothing has changed."""


def cancel_unsent(order_id: int, *, user: User, now: datetime) -> Order:
    """Cancel the customer's own order before it is sent, and give the whole price back; return the order.

    The move is guarded by the status, as the claim of a sender is: of the two exactly one wins.
    Raises Order.DoesNotExist for anybody else's order, WrongStatus when it is on its way or finished.
    """
    order = Order.objects.select_related("user").get(pk=order_id, user=user)
    with transaction.atomic():
        move_order(
            order_id,
            Status.CANCELED,
            code=Code.CANCELED,
            now=now,
            where=Q(status=Status.PAID),
            data={"by": "customer"},
            actor=user,
            finished_at=now,
            not_before=None,
            next_poll_at=None,
            **NOT_HELD,
        )
        clear_flags([order_id], OF_HOLDS, now=now, actor=user)
        order.status, order.finished_at = Status.CANCELED, now
        refund_up_to(order, order.price_micros, why=RefundReason.CANCELED, now=now, actor=user)
        supply_of(order).record_closed(order, now)
    return order


def allowed_requests(order: Order) -> list[str]:
    """Return what may be asked for this order as it stands, whether or not it has been asked already."""
    service = order.service
    if service is None:
        return []
    if service.refill and order.status in DELIVERED:
        return [RequestKind.REFILL]
    if service.cancel and order.status in UPSTREAM_OPEN:
        return [RequestKind.CANCEL]
    return []


def request_service(order_id: int, *, user: User, kind: str, now: datetime) -> ServiceRequest:
    """Ask for a refill or a cancel of the customer's own order; return the request, closed where a rule answered it.

    Raises Order.DoesNotExist for anybody else's order, RequestRefused when the service or the order's status does not
    allow it, or when the same kind is open already, or was asked for REQUESTS_A_DAY times within a day.
    """
    order = Order.objects.select_related("service", "user").get(pk=order_id, user=user)
    if kind not in allowed_requests(order):
        raise RequestRefused(
            _("This order can't be refilled.")
            if kind == RequestKind.REFILL
            else _("This order can no longer be canceled.")
        )
    if order.requests.filter(kind=kind, created_at__gt=now - timedelta(days=1)).count() >= REQUESTS_A_DAY:
        # Where a rule answers at once, none is open that would keep the next one away.
        raise RequestRefused(
            _("You have asked for this %(count)d times within a day. Please write to us instead.")
            % {"count": REQUESTS_A_DAY}
        )
    try:
        with transaction.atomic():
            request = ServiceRequest.objects.create(order=order, kind=kind, created_at=now)
            tell_of_changes([order.pk], REQUESTED, now=now)
    except IntegrityError:
        raise RequestRefused(_("You have already sent this request. We will answer here.")) from None
    request.refresh_from_db()  # whoever listens may have answered it
    return request


def close_request(request_id: int, *, state: str, answer: str, actor: User | None, now: datetime) -> ServiceRequest:
    """Close a request as done or declined, with an answer that its customer reads in the order's timeline.

    `actor` is None where a rule did it. Whoever listens tells the customer. The order itself does not change: what
    upstream makes of it comes with its status. Raises WrongStatus when a
    colleague closed it before, ValueError for a state that closes nothing or a refusal without a word, NotYourOwnMoney.
    """
    answer = answer.strip()
    if state not in (State.DONE, State.DECLINED) or (state == State.DECLINED and not answer):
        raise ValueError(f"{state} with the answer {answer!r} closes no request")
    if actor is not None:
        refuse_own_order(actor, Order.objects.select_related("user").get(requests=request_id))
    with transaction.atomic():
        still_open = ServiceRequest.objects.filter(pk=request_id, state=State.OPEN)
        if not still_open.update(state=state, answer=answer, closed_at=now, closed_by=actor):
            raise WrongStatus(f"request {request_id} is not open")
        request = ServiceRequest.objects.select_related("order__user").get(pk=request_id)
        change = Change(request.order_id, {"request": request.kind, "state": state, "answer": answer})
        write_events([change], code=Code.RESOLVED, status=request.order.status, now=now, actor=actor)
        tell_of_changes([request.order_id], REQUEST_CLOSED, now=now)
    return request


def what_became_of(kind: str, state: str, answer: str) -> str:
    """Return in words for the customer how a closed request ended, with the answer of our staff."""
    if kind == RequestKind.REFILL:
        what = _("The refill has been arranged.") if state == State.DONE else _("A refill isn't possible.")
    else:
        what = (
            _("We have requested cancellation of the order.")
            if state == State.DONE
            else _("The order can't be canceled.")
        )
    return f"{what} {answer}".strip()
