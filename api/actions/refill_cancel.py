"""The dialect's actions after the sale: refills and cancels. The document has only their flags.

A refill, and a cancel of an order that upstream works on, are requests that staff handles. What was not sent yet is
canceled at once, and so is a number. An error stands beside each order that cannot be: the others are done.
"""

from collections.abc import Callable
from typing import Any

from api.actions.calls import NOT_FOUND, Call, Scope
from api.actions.orders import ORDER_NOT_FOUND, own_order
from api.actions.params import ApiError, whole_number
from orders.lifecycle.service_requests import RequestRefused, cancel_unsent, request_service
from orders.lifecycle.transitions import WrongStatus
from orders.models import Kind, Order, ServiceRequest, Status
from orders.placing.refusals import OrderRefused
from sms.operations.cancel import cancel_number

RequestKind = ServiceRequest.Kind
State = ServiceRequest.State
REFILL_NOT_FOUND = "Refill not found"
NO_CANCEL = "Order cannot be canceled"
NO_REFILL = "Order cannot be refilled"
WORDS = {State.OPEN: "Pending", State.DONE: "Completed", State.DECLINED: "Rejected"}


def refill(call: Call) -> Any:
    """Ask for a refill of one order, or of several with an answer for each."""
    return answer_refills(call, _refill)


def refill_status(call: Call) -> Any:
    """What became of one refill, or of several."""
    return answer_refill_statuses(call, _refill_status)


def cancel(call: Call) -> list[dict[str, Any]]:
    """Cancel orders, or ask for it; an array also for one."""
    return answer_cancels(call, _cancel)


def answer_refills(call: Call, refill_one: Callable[[Call, str], int]) -> Any:
    """Answer a call of `refill`: `refill_one` takes the text of an order's number and returns the refill's."""
    if not call.text("orders"):
        return {"refill": refill_one(call, call.text("order"))}
    return [
        {"order": number_in(text), "refill": or_error(refill_one, call, text, "Incorrect order ID")}
        for text in call.several("orders")
    ]


def answer_refill_statuses(call: Call, status_of: Callable[[Call, str], str]) -> Any:
    """Answer a call of `refill_status`: `status_of` takes the text of a refill's number and returns its status."""
    if not call.text("refills"):
        return {"status": status_of(call, call.text("refill"))}
    return [
        {"refill": number_in(text), "status": or_error(status_of, call, text, REFILL_NOT_FOUND)}
        for text in call.several("refills")
    ]


def answer_cancels(call: Call, cancel_one: Callable[[Call, str], int]) -> list[dict[str, Any]]:
    """Answer a call of `cancel`: `cancel_one` takes the text of an order's number and returns 1."""
    texts = call.several("orders") or [call.text("order")]
    if texts == [""]:
        raise ApiError("Order ID is required")
    return [
        {"order": number_in(text), "cancel": or_error(cancel_one, call, text, "Incorrect order ID")} for text in texts
    ]


def _refill(call: Call, text: str) -> int:
    order = own_order(call.user, text)
    return _request(call, order, RequestKind.REFILL, NO_REFILL).pk


def _refill_status(call: Call, text: str) -> str:
    mine = ServiceRequest.objects.filter(order__user=call.user, kind=RequestKind.REFILL)
    state = mine.filter(pk=whole_number(text) or 0).values_list("state", flat=True).first()
    if state is None:
        raise ApiError(REFILL_NOT_FOUND, NOT_FOUND)
    return WORDS[State(state)]


def _cancel(call: Call, text: str) -> int:
    order = own_order(call.user, text)
    call.check_scope(Scope.SMS if order.kind == Kind.NUMBER else Scope.ORDER)
    if order.kind == Kind.NUMBER:
        try:
            cancel_number(order.pk, user=call.user, now=call.now)
        except OrderRefused:
            raise ApiError(NO_CANCEL, 409) from None
        return 1
    if order.status == Status.PAID:
        try:
            cancel_unsent(order.pk, user=call.user, now=call.now)
            return 1
        except WrongStatus:  # a sender was quicker
            order.refresh_from_db()
    _request(call, order, RequestKind.CANCEL, NO_CANCEL)
    return 1


def _request(call: Call, order: Order, kind: str, refusal: str) -> ServiceRequest:
    """Return the request that staff will look at; one that is open already does as well."""
    try:
        return request_service(order.pk, user=call.user, kind=kind, now=call.now)
    except RequestRefused:
        asked = ServiceRequest.objects.filter(order=order, kind=kind, state=State.OPEN).first()
        if asked is None:
            raise ApiError(refusal, 409) from None
        return asked


def or_error(one: Callable[[Call, str], Any], call: Call, text: str, not_found: str) -> Any:
    """Return what `one` answers for one of several ids, or the error to stand in its place."""
    try:
        return one(call, text)
    except ApiError as refusal:
        return {"error": not_found if str(refusal) == ORDER_NOT_FOUND else str(refusal)}


def number_in(text: str) -> int | str:
    """Return an id as it came: a number where it is one."""
    number = whole_number(text)
    return text if number is None else number
