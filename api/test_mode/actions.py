"""The actions as test keys carry them out: the same parameters, checks and answers, with test money and own ids."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from api.actions.calls import NOT_FOUND, Call, Scope
from api.actions.orders import (
    ORDER_NOT_FOUND,
    WORDS,
    buy_service,
    own_request_id,
)
from api.actions.params import ApiError, whole_number
from api.actions.refill_cancel import (
    NO_CANCEL,
    NO_REFILL,
    REFILL_NOT_FOUND,
    answer_cancels,
    answer_refill_statuses,
    answer_refills,
    or_error,
)
from api.actions.sms import WORDS as NUMBER_WORDS
from api.actions.sms import buy_some, code_answer, time_text, without_code
from api.models import SimulatedOrder
from api.test_mode import operations
from api.test_mode.operations import cancel_simulated_order, simulated_balance_micros, take_simulated_orders
from api.test_mode.scenarios import (
    NO_NUMBERS,
    PHONES,
    back_micros_of,
    code_of,
    course_of,
    expires_at,
    has_word,
    state_of,
)
from catalog.models import Delivery, Service
from catalog.pricing import price_book
from orders.models import Status
from orders.placing.check import check_amounts, check_order, check_price_was_told
from orders.placing.refusals import OrderRefused
from sms.models import Number, Project
from sms.operations import MAX_AT_ONCE
from sms.pricing import number_price_micros
from upstream.money import text_from_micros

Kind = SimulatedOrder.Kind
State = Number.State
MAX_GOODS = 100


def balance(call: Call) -> dict[str, Any]:
    """What is in the test wallet."""
    micros = simulated_balance_micros(call.user, now=call.now)
    return {"balance": text_from_micros(micros), "currency": settings.STORE_CURRENCY}


# --- Services -------------------------------------------------------------------------------------------------------
def add(call: Call) -> dict[str, Any]:
    """Take a simulated order."""
    return buy_service(call, _place)


def _place(call: Call, service: Service, quantity: int, link: str) -> int:
    comments = call.params.get("comments", "")

    def make() -> list[SimulatedOrder]:
        check_price_was_told(service)
        pieces, _lines = check_order(service, quantity=quantity, link=link, comments=comments)
        book = price_book(call.user)
        check_amounts(service, pieces, book)
        price_micros = book.price_micros(service, pieces)
        if has_word(link, "refused") or price_micros <= 0:
            raise OrderRefused("refused")
        return [
            SimulatedOrder(kind=Kind.SERVICE, service=service, link=link, quantity=pieces, price_micros=price_micros)
        ]

    asked = {"service": service.pk, "quantity": quantity, "link": link, "comments": comments}
    [order] = _take(call, asked, make)
    return order.pk


def _take(call: Call, asked: dict[str, Any], make: Callable[[], list[SimulatedOrder]]) -> list[SimulatedOrder]:
    request_id = own_request_id(call)
    try:
        return take_simulated_orders(
            call.user, key=call.key, request_id=request_id, asked=asked, make=make, now=call.now
        )
    except operations.TooManyUnderWay:
        text = f"Too many test orders are under way, {operations.MAX_UNDER_WAY} at most"
        raise ApiError(text, 409) from None


def status(call: Call) -> dict[str, Any]:
    """How simulated orders are going."""
    if not call.text("orders"):
        return _status(call, call.text("order"))
    asked = call.several("orders")
    return {text: or_error(_status, call, text, ORDER_NOT_FOUND) for text in asked}


def _status(call: Call, text: str) -> dict[str, Any]:
    order = _order(call, text)
    if order.kind != Kind.SERVICE:
        raise ApiError(ORDER_NOT_FOUND, NOT_FOUND)
    course = course_of(order, call.now)
    word, remains = WORDS[course.status], course.remains
    answer = {
        "status": word,
        "charge": text_from_micros(_charge_micros(order, call)),
        "start_count": 0,
        "remains": remains,
        "currency": settings.STORE_CURRENCY,
    }
    service = order.service
    delivers = service is not None and service.delivery != Delivery.LINK
    if delivers and word in ("Completed", "Partial") and call.may_see_secrets:
        pieces = min(order.quantity - remains, MAX_GOODS)
        answer["accounts"] = [f"test{order.pk}.{number}@example.com:password" for number in range(1, pieces + 1)]
    return answer


def refill(call: Call) -> Any:
    """Have a finished simulated order refilled; the refill has the order's number."""
    return answer_refills(call, _refill)


def refill_status(call: Call) -> Any:
    """What became of refills: they are done at once."""
    return answer_refill_statuses(call, _refill_status)


def _refill(call: Call, text: str) -> int:
    order = _order(call, text)
    if not _may_refill(order, call):
        raise ApiError(NO_REFILL, 409)
    return order.pk


def _refill_status(call: Call, text: str) -> str:
    order = SimulatedOrder.objects.filter(user=call.user, pk=whole_number(text) or 0).select_related("service").first()
    if order is None or not _may_refill(order, call):
        raise ApiError(REFILL_NOT_FOUND, NOT_FOUND)
    return "Completed"


def _may_refill(order: SimulatedOrder, call: Call) -> bool:
    over = (Status.COMPLETED, Status.PARTIAL)
    return order.service is not None and order.service.refill and course_of(order, call.now).status in over


def cancel(call: Call) -> list[dict[str, Any]]:
    """Cancel simulated orders that are not over: at once, where the real ones may have to be asked for."""
    return answer_cancels(call, _cancel)


def _cancel(call: Call, text: str) -> int:
    order = _order(call, text)
    call.check_scope(Scope.ORDER if order.kind == Kind.SERVICE else Scope.SMS)
    # As with real ones: before it is sent any order can be canceled, afterwards only where the service allows it.
    sent = order.service is not None and course_of(order, call.now).status != Status.PENDING
    if sent and not (order.service and order.service.cancel):
        raise ApiError(NO_CANCEL, 409)
    if not cancel_simulated_order(order, now=call.now):
        raise ApiError(NO_CANCEL, 409)
    return 1


# --- Numbers --------------------------------------------------------------------------------------------------------
def add_sms(call: Call) -> dict[str, Any]:
    """Take simulated numbers; they are there at once."""
    orders = buy_some(call, _buy)
    return {
        "orders": [
            {
                "order": order.pk,
                "phone": order.phone,
                "country": order.project.country.code if order.project else "",
                "status": NUMBER_WORDS[state_of(order, order.created_at)],
            }
            for order in orders
        ]
    }


def _buy(call: Call, project: Project, quantity: int, phone: str) -> list[SimulatedOrder]:
    def make() -> list[SimulatedOrder]:
        if not Project.objects.on_sale().filter(pk=project.pk).exists():
            raise OrderRefused("not on sale")
        if not 1 <= quantity <= MAX_AT_ONCE or (phone and quantity != 1):
            raise OrderRefused("quantity", "quantity")
        if phone == NO_NUMBERS:
            raise ApiError("No numbers available", 409)
        mine = SimulatedOrder.objects.filter(user=call.user, project=project, phone=phone)
        if phone and phone not in PHONES and not mine.exists():
            raise OrderRefused("phone", "reuse_phone")
        price_micros = number_price_micros(project, call.user)
        return [
            SimulatedOrder(kind=Kind.NUMBER, project=project, quantity=1, price_micros=price_micros, phone=phone)
            for _each in range(quantity)
        ]

    asked = {"project": project.pk, "quantity": quantity, "phone": phone}
    return _take(call, asked, make)


def sms_code(call: Call) -> dict[str, Any]:
    """The code, once it has come."""
    call.check_scope(Scope.SECRETS)
    order = _simulated_number(call)
    return code_answer(state_of(order, call.now), code_of(order), _message(order))


def sms_status(call: Call) -> dict[str, Any]:
    """How a number is going, with the message as soon as it is there."""
    order = _simulated_number(call)
    state = state_of(order, call.now)
    answer: dict[str, Any] = {
        "status": NUMBER_WORDS[state],
        "phone": order.phone,
        "code": code_of(order) if state == State.RECEIVED else None,
        "charge": text_from_micros(_charge_micros(order, call), 4),
        "currency": settings.STORE_CURRENCY,
        "expires_at": time_text(expires_at(order)),
    }
    if not call.may_see_secrets:
        return without_code(answer)
    return {**answer, "sms_content": _message(order)} if state == State.RECEIVED else answer


def _message(order: SimulatedOrder) -> str:
    return f"Your verification code is {code_of(order)}"


def _simulated_number(call: Call) -> SimulatedOrder:
    order = _order(call, call.text("order"))
    if order.kind != Kind.NUMBER:
        raise ApiError(ORDER_NOT_FOUND, NOT_FOUND)
    return order


def _order(call: Call, text: str) -> SimulatedOrder:
    mine = SimulatedOrder.objects.filter(user=call.user, pk=whole_number(text) or 0)
    order = mine.select_related("service__category", "user").first()
    if order is None:
        raise ApiError(ORDER_NOT_FOUND, NOT_FOUND)
    return order


def _charge_micros(order: SimulatedOrder, call: Call) -> int:
    return order.price_micros - (back_micros_of(order, call.now) or 0)
