"""The actions of the API that sell services: each takes the key's owner and the parameters, and returns the answer.

Source: the HstockPlus API document, whose shapes and error texts they speak; further texts are the trade's usual ones.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts.models import User
from api.params import ApiError, Params, whole_number
from catalog.models import Category, Delivery, OrderForm, Service, ServiceQuerySet
from catalog.pricing import price_book
from catalog.stock import refresh_stock
from orders.goods import reveal_all
from orders.models import Order, Status
from orders.operations import OrderRefused, place_order
from orders.operations.placing import MoneyOwed, RequestIdReused
from upstream.money import text_from_micros
from wallet.operations import InsufficientFunds, wallet_of

Action = Callable[[User, Params], Any]

MOST_ORDERS = 100
LONGEST_REQUEST_ID = 64
ORDER_NOT_FOUND = "Order not found"
SERVICE_NOT_FOUND = "Service not found"
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


# --- The catalog ----------------------------------------------------------------------------------------------------
def categories(user: User, params: Params) -> dict[str, Any]:
    """Every category with something on sale, and the subcategories that have."""
    pairs = Service.objects.on_sale().order_by("category__position", "category__name", "subcategory__name")
    found: dict[str, list[str]] = {}
    names = pairs.values_list("category__shown_name", "category__name", "subcategory__name").distinct()
    for shown_name, name, subcategory in names:
        subcategories = found.setdefault(shown_name or name, [])
        if subcategory and subcategory not in subcategories:
            subcategories.append(subcategory)
    return {"categories": [{"category": name, "subcategories": inside} for name, inside in found.items()]}


def services(user: User, params: Params) -> dict[str, Any]:
    """What is on sale, at this customer's prices per 1,000; a `limit` above zero gives it in pages."""
    found = _filtered(params).select_related("category").defer("search_text", "upstream_description", "description")
    total = found.count()
    limit = max(whole_number(params.get("limit", "")) or 0, 0)
    page = max(whole_number(params.get("page", "")) or 1, 1)
    if limit:
        start = (page - 1) * limit
        # Beyond the end nothing has to be asked, and a database could not count that far anyway.
        rows: Iterable[Service] = found[start : start + limit] if start < total else []
        pages = -(-total // limit)
    else:
        rows, page, limit, pages = found.iterator(chunk_size=2000), 1, total, 1
    book = price_book(user)
    listed = [
        {
            "service": service.pk,
            "name": service.title,
            "type": service.type,
            "category": service.category.title,
            "rate": text_from_micros(book.rate_per_thousand_micros(service)),
            "min": service.min_quantity,
            "max": service.max_quantity,
            "refill": service.refill,
            "cancel": service.cancel,
            "stock": _stock(service),
        }
        for service in rows
    ]
    return {"services": listed, "total": total, "page": page, "limit": limit, "total_pages": max(pages, 1)}


def inventory(user: User, params: Params) -> dict[str, Any]:
    """How many of one service there are, and whether it can be ordered."""
    service = _service(params)
    refresh_stock(service)
    return {"service": service.pk, "stock": _stock(service), "available": service.orderable}


def _filtered(params: Params) -> ServiceQuerySet:
    found = Service.objects.on_sale()
    if category := params.get("category"):
        shown_as = Q(shown_name=category) | Q(shown_name="", name=category)
        found = found.filter(category__in=Category.objects.filter(shown_as))
    if subcategory := params.get("subcategory"):
        found = found.filter(subcategory__name=subcategory)
    return found


def _service(params: Params) -> Service:
    service = _any_service(params)
    if not _is_on_sale(service):
        raise ApiError(SERVICE_NOT_FOUND)
    return service


def _any_service(params: Params) -> Service:
    if not params.get("service", "").strip():
        raise ApiError("Service ID is required")
    service_id = whole_number(params["service"]) or 0
    service = Service.objects.select_related("category").filter(pk=service_id).first()
    if service is None:
        raise ApiError(SERVICE_NOT_FOUND)
    return service


def _is_on_sale(service: Service) -> bool:
    return service.withdrawn_at is None and service.visible and service.category.visible


def _stock(service: Service) -> int:
    """What one could order of it: the document has no word for "not limited" nor for "paused"."""
    if service.paused_because or service.order_form == OrderForm.UNKNOWN:
        return 0
    return service.max_quantity if service.stock is None else service.stock


# --- Orders ---------------------------------------------------------------------------------------------------------
def add(user: User, params: Params) -> dict[str, Any]:
    """Take an order and its money; it is forwarded by the workers."""
    service = _any_service(params)
    comments = params.get("comments", "")
    quantity = _quantity(service, params, comments)
    link = params.get("link", "").strip()
    if not link and service.delivery == Delivery.EMAIL:
        link = user.email  # as the document has it: goods without an address go to the account's own
    try:
        # It looks for the request id before all else: a repeat is answered even if nothing is for sale any more.
        order = place_order(
            user=user,
            service=service,
            quantity=quantity,
            link=link,
            comments=comments,
            request_id=request_id(params),
        )
    except (InsufficientFunds, MoneyOwed):
        raise ApiError("Insufficient balance") from None
    except RequestIdReused:
        raise ApiError("request_id was used with other values") from None
    except OrderRefused as refusal:
        raise ApiError(_refusal_text(service, quantity, link, refusal.field)) from None
    return {"order": order.pk}


def status(user: User, params: Params) -> dict[str, Any]:
    """How one order is going; with `orders=1,2,3` an object of answers by id, an error for each that is not found."""
    if not params.get("orders", "").strip():
        return _statuses(user, [own_order(user, params)])[0]
    asked = [text.strip() for text in params["orders"].split(",") if text.strip()]
    if len(asked) > MOST_ORDERS:
        raise ApiError(f"Too many orders, {MOST_ORDERS} at most")
    order_ids = {number for text in asked if (number := whole_number(text)) is not None}
    orders = list(user.orders.filter(pk__in=order_ids))
    found = {order.pk: answer for order, answer in zip(orders, _statuses(user, orders), strict=True)}
    return {text: found.get(whole_number(text) or 0, {"error": ORDER_NOT_FOUND}) for text in asked}


def balance(user: User, params: Params) -> dict[str, Any]:
    """What is in the wallet."""
    return {"balance": text_from_micros(wallet_of(user).balance_micros), "currency": settings.STORE_CURRENCY}


def own_order(user: User, params: Params) -> Order:
    """Return the order that `order` names, with its number. Raises ApiError when it is not this customer's."""
    order_id = whole_number(params.get("order", "")) or 0
    order = user.orders.filter(pk=order_id).select_related("number").first()
    if order is None:
        raise ApiError(ORDER_NOT_FOUND)
    return order


def request_id(params: Params) -> str:
    """Return the caller's own id for a purchase, or a new one that nobody can repeat."""
    text = params.get("request_id", "").strip()
    if len(text) > LONGEST_REQUEST_ID:
        raise ApiError(f"request_id is longer than {LONGEST_REQUEST_ID} characters")
    return text or str(uuid.uuid4())


def _statuses(user: User, orders: list[Order]) -> list[dict[str, Any]]:
    """Return `order_status` of each, with the delivered goods where there are any; the look at them is logged."""
    goods = reveal_all(orders, user=user, address=None)
    answers = [order_status(order) for order in orders]
    for order, answer in zip(orders, answers, strict=True):
        if order.pk in goods:
            answer["accounts"] = goods[order.pk]
    return answers


def order_status(order: Order) -> dict[str, Any]:
    """Return the document's five fields."""
    return {
        "status": WORDS[Status(order.status)],
        "charge": text_from_micros(order.kept_micros),
        "start_count": order.start_count or 0,
        "remains": _remains(order),
        "currency": settings.STORE_CURRENCY,
    }


def _remains(order: Order) -> int:
    if order.remains is not None:
        return min(max(order.remains, 0), order.quantity)
    return 0 if order.status == Status.COMPLETED else order.quantity


def _quantity(service: Service, params: Params, comments: str) -> int:
    """The pieces asked for; for comments their number, which `quantity` may repeat but not contradict."""
    text = params.get("quantity", "").strip()
    asked = whole_number(text)
    if text and asked is None:
        raise ApiError("Invalid quantity")
    if service.order_form == OrderForm.COMMENTS:
        lines = sum(1 for line in comments.splitlines() if line.strip())
        if not lines:
            raise ApiError("Comments are required")
        if asked not in (None, lines):
            raise ApiError("Quantity does not match the number of comments")
        return lines
    if asked is None:
        raise ApiError("Quantity is required")
    return asked


def _refusal_text(service: Service, quantity: int, link: str, field: str) -> str:
    """Say in the trade's words why an order was refused: another shop that buys here matches the whole text."""
    if field == "link":
        return "Invalid link" if link else "Link is required"
    if field in ("quantity", "comments"):
        if quantity < service.min_quantity:
            return "Quantity is less than minimum"
        return "Quantity is more than maximum" if quantity > service.max_quantity else "Not enough stock"
    return "Not enough stock" if _is_on_sale(service) else SERVICE_NOT_FOUND
