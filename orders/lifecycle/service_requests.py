"""What a customer may still want of an order: to cancel it unsent, to have it refilled or stopped at work."""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from notifications.kinds import ANSWERS
from notifications.outbox import tell_admins, tell_customer
from orders.lifecycle.attention import OF_HOLDS, clear_flags
from orders.lifecycle.holds import NOT_HELD
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
    """Ask our staff for a refill or a cancel of the customer's own order; return the open request.

    Raises Order.DoesNotExist for anybody else's order, RequestRefused when the service or the order's status does not
    allow it, or when the same kind is open already.
    """
    order = Order.objects.select_related("service", "user").get(pk=order_id, user=user)
    if kind not in allowed_requests(order):
        raise RequestRefused(
            _("This order can't be refilled.")
            if kind == RequestKind.REFILL
            else _("This order can no longer be canceled.")
        )
    try:
        with transaction.atomic():
            request = ServiceRequest.objects.create(order=order, kind=kind, created_at=now)
            _tell_staff(request, now)
            return request
    except IntegrityError:
        raise RequestRefused(_("You have already sent this request. We will answer here.")) from None


def close_request(request_id: int, *, state: str, answer: str, actor: User, now: datetime) -> ServiceRequest:
    """Close a request as done or declined, with an answer that its customer reads in the order's timeline.

    The order itself does not change: what upstream makes of it comes with its status. Raises WrongStatus when a
    colleague closed it before, ValueError for a state that closes nothing or a refusal without a word, NotYourOwnMoney.
    """
    answer = answer.strip()
    if state not in (State.DONE, State.DECLINED) or (state == State.DECLINED and not answer):
        raise ValueError(f"{state} with the answer {answer!r} closes no request")
    refuse_own_order(actor, Order.objects.select_related("user").get(requests=request_id))
    with transaction.atomic():
        still_open = ServiceRequest.objects.filter(pk=request_id, state=State.OPEN)
        if not still_open.update(state=state, answer=answer, closed_at=now, closed_by=actor):
            raise WrongStatus(f"request {request_id} is not open")
        request = ServiceRequest.objects.select_related("order__user").get(pk=request_id)
        change = Change(request.order_id, {"request": request.kind, "state": state, "answer": answer})
        write_events([change], code=Code.RESOLVED, status=request.order.status, now=now, actor=actor)
        _tell_customer(request, now)
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


def _tell_staff(request: ServiceRequest, now: datetime) -> None:
    order = request.order
    with translation.override(settings.LANGUAGE_CODE):
        subject = (
            _("Order #%(number)s: cancellation requested")
            if request.kind == RequestKind.CANCEL
            else _("Order #%(number)s: refill requested")
        )
        address = settings.ADMIN_URL + reverse("admin:orders_servicerequest_change", args=[request.pk])
        body = "\n".join([order.title, order.user.email, "", address])
        tell_admins(f"request:{request.pk}", subject % {"number": order.pk}, body, now)


def _tell_customer(request: ServiceRequest, now: datetime) -> None:
    order = request.order
    with translation.override(order.user.mail_language):
        subject, body = words_of_answer(request)
        path = reverse("orders:detail", args=[order.pk])
        key = f"request:{request.pk}:{request.state}"
        tell_customer(order.user, key, subject, body, now, kind=ANSWERS, url=path)


def words_of_answer(request: ServiceRequest) -> tuple[str, str]:
    """Return subject and text by which the customer is told the answer, in the language that is active."""
    order = request.order
    address = settings.SITE_URL + reverse("orders:detail", args=[order.pk])
    became = what_became_of(request.kind, request.state, request.answer)
    subject = _("Our answer about order #%(number)s") % {"number": order.pk}
    return subject, "\n\n".join([order.shown_title, became, address])
