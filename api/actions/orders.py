"""The actions of the API that sell services and tell how orders go: each takes the call and returns the answer.

Source: the HstockPlus API document, whose shapes and error texts they speak; further texts are the trade's usual ones.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.keys.spending import DailyLimitReached
from accounts.models import User
from api.actions.calls import NOT_FOUND, Call
from api.actions.closed import closed_for_now
from api.actions.params import ApiError, whole_number
from api.actions.services import SERVICE_NOT_FOUND, any_service, is_on_sale
from catalog.models import Delivery, OrderForm, Service
from orders.lifecycle.goods import reveal_all
from orders.models import Order, Status
from orders.pages.progress import Progress, progress_of
from orders.placing.check import read_link
from orders.placing.place import place_order
from orders.placing.refusals import Closed, MoneyOwed, OrderRefused, RequestIdReused, TooMuchMoney
from upstream.money import text_from_micros
from upstream.reading.amounts import MAX_INTEGER, typed_quantity
from upstream.reading.text import lines
from wallet.operations import InsufficientFunds, balance_of

LONGEST_REQUEST_ID = 64
ORDER_NOT_FOUND = "Order not found"
INVALID_QUANTITY = "Invalid quantity"
INSUFFICIENT_BALANCE = "Insufficient balance"
NO_DRIP_FEED = "Drip-feed is not available, runs must be 1"
RUNS_ONCE = ("", "undefined", "null", "none", "nan")  # what clients send whose form had no such field
WORDS = {
    Status.PAID: "Pending",
    Status.SENDING: "Pending",
    Status.UNKNOWN: "Pending",
    Status.PENDING: "Pending",
    Status.IN_PROGRESS: "In progress",
    Status.COMPLETED: "Completed",
    Status.PARTIAL: "Partial",
    Status.CANCELED: "Canceled",
    Status.FAILED: "Canceled",
}


# --- Buying ---------------------------------------------------------------------------------------------------------
def add(call: Call) -> dict[str, Any]:
    """Take an order and its money; it is forwarded by the workers."""
    return buy_service(call, _place)


def buy_service(call: Call, place: Callable[[Call, Service, int, str], int]) -> dict[str, Any]:
    """Read what is asked for, let `place` take it, and return the answer; refusals speak the trade's words."""
    if not _runs_once(call):
        raise ApiError(NO_DRIP_FEED)
    service = any_service(call)
    quantity = _quantity(service, call)
    link = read_link(service, call.params.get("link", ""))
    if not link and service.delivery == Delivery.EMAIL:
        link = call.user.email  # as the document has it: goods without an address go to the account's own
    # Goods that come with the status need none, and one that is sent all the same goes nowhere.
    with refusals():
        try:
            return {"order": place(call, service, quantity, link)}
        except OrderRefused as refusal:
            # The one that says more than which field is at fault.
            if isinstance(refusal, (Closed, MoneyOwed, RequestIdReused)):
                raise
            if isinstance(refusal, TooMuchMoney):
                raise ApiError(INVALID_QUANTITY) from None
            raise _refusal(service, quantity, link, refusal.field) from None


def _place(call: Call, service: Service, quantity: int, link: str) -> int:
    # It looks for the request id whatever else it finds: a repeat is answered even if nothing is for sale any more.
    order = place_order(
        user=call.user,
        service=service,
        quantity=quantity,
        link=link,
        comments=call.params.get("comments", ""),
        **own_or_new_id(call),
        api_key=call.key,
        by_list=True,
        now=timezone.now(),
    )
    return order.pk


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what every purchase may be refused for into the texts that callers know."""
    try:
        yield
    except Closed as closed:
        raise closed_for_now(closed.door) from None
    except (InsufficientFunds, MoneyOwed):
        raise ApiError(INSUFFICIENT_BALANCE, 402) from None
    except DailyLimitReached:
        raise ApiError("Daily spending limit of this key is reached", 402) from None
    except RequestIdReused:
        raise ApiError("request_id was used with other values", 409) from None


def own_request_id(call: Call) -> str:
    """Return the id that the caller chose for a purchase, or "". Raises ApiError when it is too long."""
    text = call.text("request_id")
    if len(text) > LONGEST_REQUEST_ID:
        raise ApiError(f"request_id is longer than {LONGEST_REQUEST_ID} characters")
    return text


def own_or_new_id(call: Call) -> dict[str, Any]:
    """Return what a purchase is repeated by: the caller's own id, or a new one that nobody can repeat.

    An own id that was used too long ago to be remembered is free again. Raises ApiError like `own_request_id`.
    """
    own = own_request_id(call)
    return {"request_id": own or str(uuid.uuid4()), "forgets_ids": bool(own)}


def _quantity(service: Service, call: Call) -> int:
    """The pieces asked for; for comments their number, which `quantity` may repeat but not contradict."""
    text = call.text("quantity")
    asked = typed_quantity(text)
    if text and (asked is None or abs(asked) > MAX_INTEGER):
        raise ApiError(INVALID_QUANTITY)
    if service.order_form == OrderForm.COMMENTS:
        comments = len(lines(call.params.get("comments", "")))
        if not comments:
            raise ApiError("Comments are required")
        if asked not in (None, comments):
            raise ApiError("Quantity does not match the number of comments")
        return comments
    if asked is None:
        raise ApiError("Quantity is required")
    return asked


def _runs_once(call: Call) -> bool:
    """Whether the order is meant to run once, whatever a client writes for that.

    In this trade `quantity` is meant for each of several `runs`, `interval` minutes apart: one that was taken as a
    single order would bring a fraction of what was meant. `interval` alone says nothing.
    """
    text = call.text("runs").lower()
    return text in RUNS_ONCE or typed_quantity(text) in (0, 1)


def _refusal(service: Service, quantity: int, link: str, field: str) -> ApiError:
    """Say in the trade's words why an order was refused: another shop that buys here matches the whole text."""
    if field == "link":
        return ApiError("Invalid link" if link else "Link is required")
    minimum, maximum = service.min_quantity, service.max_quantity
    if field in ("quantity", "comments") and not minimum <= quantity <= maximum:
        return ApiError(f"Quantity must be between {minimum} and {maximum}")
    if field in ("quantity", "comments") or is_on_sale(service):
        return ApiError("Not enough stock", 409)
    return ApiError(SERVICE_NOT_FOUND, NOT_FOUND)


# --- Looking --------------------------------------------------------------------------------------------------------
def status(call: Call) -> dict[str, Any]:
    """How one order is going; with `orders=1,2,3` an object of answers by id, an error for each that is not found.

    A number's order is not found here, as upstream's is not: `sms_status` tells of it.
    """
    if not call.text("orders"):
        order_id = whole_number(call.text("order")) or 0
        answer = _statuses(call, [order_id]).get(order_id)
        if answer is None:
            raise ApiError(ORDER_NOT_FOUND, NOT_FOUND)
        return answer
    asked = {text: whole_number(text) or 0 for text in call.several("orders")}
    found = _statuses(call, list(set(asked.values())))
    return {text: found.get(order_id, {"error": ORDER_NOT_FOUND}) for text, order_id in asked.items()}


def balance(call: Call) -> dict[str, Any]:
    """What is in the wallet."""
    return {"balance": text_from_micros(balance_of(call.user)), "currency": settings.STORE_CURRENCY}


def own_order(user: User, text: str) -> Order:
    """Return the order of this number, with its SMS number. Raises ApiError when it is not this customer's."""
    order = user.orders.filter(pk=whole_number(text) or 0).select_related("number").first()
    if order is None:
        raise ApiError(ORDER_NOT_FOUND, NOT_FOUND)
    return order


def order_status(order: Order | Progress) -> dict[str, Any]:
    """Return the document's five fields."""
    return {
        "status": WORDS[Status(order.status)],
        "charge": text_from_micros(order.kept_micros),
        "start_count": order.start_count or 0,
        "remains": _remains(order),
        "currency": settings.STORE_CURRENCY,
    }


def _statuses(call: Call, order_ids: list[int]) -> dict[int, dict[str, Any]]:
    """Return `order_status` of each own order by id, with the delivered goods where the key may see them.

    The look at these is logged.
    """
    found = progress_of(call.user, order_ids)
    answers = {order_id: order_status(progress) for order_id, progress in found.items()}
    delivered = [progress.id for progress in found.values() if progress.goods_id is not None]
    if delivered and call.may_see_secrets:
        orders = call.user.orders.filter(pk__in=delivered)
        for order_id, lines in reveal_all(orders, user=call.user, address=call.address).items():
            answers[order_id]["accounts"] = lines
    return answers


def _remains(order: Order | Progress) -> int:
    if order.remains is not None:
        return min(max(order.remains, 0), order.quantity)
    return 0 if order.status == Status.COMPLETED else order.quantity
