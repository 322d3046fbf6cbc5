"""The documented API: eleven actions, their parameters, and the answers in the document's shapes.

Source: the HstockPlus API document; the refusals it does not have are in `texts`.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

import msgspec

from upstream.money import micros_from_decimal
from upstream.reading.text import lines
from upstream.sandbox import texts
from upstream.sandbox.orders import (
    NumberOrder,
    ServiceOrder,
    plan_number_order,
    plan_service_order,
    progress,
)
from upstream.sandbox.profiles import LIVE
from upstream.sandbox.profiles.live import international, known_language, national
from upstream.sandbox.world import World, micros_from_text

MAX_NUMBERS = 10
LONGEST_LINK = 2048
ACCOUNT_EMAIL = "account@example.com"  # where goods go that were ordered without a link

PARAMETERS: dict[str, frozenset[str]] = {
    "categories": frozenset(),
    "services": frozenset({"page", "limit", "category", "subcategory"}),
    "inventory": frozenset({"service"}),
    "add": frozenset({"service", "link", "quantity", "comments"}),
    "status": frozenset({"order"}),
    "balance": frozenset(),
    "sms_projects": frozenset({"country"}),
    "sms_countries": frozenset(),
    "add_sms": frozenset({"project_id", "quantity", "country", "phone"}),
    "sms_code": frozenset({"order"}),
    "sms_status": frozenset({"order"}),
}
PURCHASES = ("add", "add_sms")


class Refusal(Exception):
    """The call is answered with {"error": text}."""


def answer(world: World, params: dict[str, str]) -> tuple[bytes, str]:
    """Carry out one call and return the encoded answer, with the refusal's text or "" beside it.

    What the call changes is committed before it returns; a refused call changes nothing.
    """
    with world.lock, world.store.transaction():
        world.settle()
        try:
            return _perform(world, params), ""
        except Refusal as refusal:
            return msgspec.json.encode({"error": str(refusal)}), str(refusal)


def _perform(world: World, params: dict[str, str]) -> bytes:
    if params.get("key") != world.settings.key:
        raise Refusal(texts.INVALID_API_KEY)
    action = params.get("action", "")
    known = PARAMETERS.get(action)
    if known is None:
        raise Refusal(texts.INVALID_ACTION)
    reads = action not in PURCHASES
    if reads and world.has(LIVE):
        known |= {"lang"}
    for name in params:
        if name not in known and name not in ("key", "action"):
            raise Refusal(texts.UNKNOWN_PARAMETER + name)
    if reads and not world.may_read():
        raise Refusal(texts.TOO_FAST)
    result = ACTIONS[action](world, params)
    return result if isinstance(result, bytes) else msgspec.json.encode(result)


def _live(world: World, params: dict[str, str]) -> str | None:
    """The language of the names ("" for English) with the profile `live`; without it None."""
    return known_language(params.get("lang", "")) if world.has(LIVE) else None


# --- The catalog ---------------------------------------------------------------------------------------------------
def _categories(world: World, params: dict[str, str]) -> dict[str, Any]:
    return {"categories": world.catalog.categories(_live(world, params))}


def _services(world: World, params: dict[str, str]) -> bytes:
    page = _number(params, "page", texts.INVALID_PAGE, default=1)
    limit = _number(params, "limit", texts.INVALID_LIMIT, default=0)
    if page < 1:
        raise Refusal(texts.INVALID_PAGE)
    if limit < 0:
        raise Refusal(texts.INVALID_LIMIT)
    if cap := world.settings.page_cap:
        limit = min(limit or cap, cap)
    category, subcategory = params.get("category"), params.get("subcategory")
    return world.catalog.services_answer(
        page=page, limit=limit, category=category, subcategory=subcategory, live=_live(world, params)
    )


def _inventory(world: World, params: dict[str, str]) -> dict[str, Any]:
    row = _service(world, params)
    return {"service": row["service"], "stock": row["stock"], "available": row["stock"] != 0}


# --- Orders --------------------------------------------------------------------------------------------------------
def _add(world: World, params: dict[str, str]) -> dict[str, Any]:
    row = _service(world, params)
    product = row["kind"] == "product"
    if row["type"] not in ("Default", "Custom Comments"):
        raise Refusal(texts.NOT_ORDERABLE)
    link = params.get("link", "").strip()
    if not product:
        _check_link(link)
    quantity = _number(params, "quantity", texts.INVALID_QUANTITY, missing=texts.QUANTITY_REQUIRED)
    comments = params.get("comments", "")
    if row["type"] == "Custom Comments":
        _check_comments(comments, quantity)
    elif comments:
        raise Refusal(texts.UNKNOWN_PARAMETER + "comments")
    if quantity < max(1, row["min"]):
        raise Refusal(texts.QUANTITY_TOO_SMALL)
    if quantity > row["max"]:
        raise Refusal(texts.QUANTITY_TOO_LARGE)
    if isinstance(row["stock"], int) and quantity > row["stock"]:
        raise Refusal(texts.NOT_ENOUGH_STOCK)
    charge_micros = _charge_micros(row, quantity)
    if charge_micros > world.store.balance_micros():
        raise Refusal(texts.INSUFFICIENT_BALANCE)
    order = plan_service_order(
        {
            "service": row["service"], "name": row["name"], "goods": row["kind"], "quantity": quantity,
            "link": link or ACCOUNT_EMAIL, "comments": comments,
        },
        order_id=world.store.next_id(), seed=world.seed, settings=world.settings, now=world.now(),
        charge_micros=charge_micros,
    )  # fmt: skip
    world.store.book("charges", -charge_micros, order.id)
    world.catalog.move_stock(order.service, -quantity)
    world.store.save_order(order)
    return {"order": order.id}


def _status(world: World, params: dict[str, str]) -> dict[str, Any]:
    order = _order(world, params)
    if not isinstance(order, ServiceOrder):
        if not world.status_answers_numbers:
            raise Refusal(texts.ORDER_NOT_FOUND)
        charge = order.shown.get("charge", world.shown_money(order.charge_micros))
        return {
            "status": "Pending",
            "charge": charge,
            "start_count": 0,
            "remains": 1,
            "currency": world.settings.currency,
        }
    status, remains, start_count = progress(order, world.now())
    result = {
        "status": status,
        "charge": order.shown.get("charge", world.shown_money(order.charge_micros)),
        "start_count": start_count,
        "remains": remains,
        "currency": world.settings.currency,
    }
    accounts = world.accounts(order)
    if accounts:
        result["accounts"] = accounts
    return result


def _balance(world: World, params: dict[str, str]) -> dict[str, Any]:
    return {"balance": world.shown_money(world.store.balance_micros()), "currency": world.settings.currency}


# --- SMS numbers ---------------------------------------------------------------------------------------------------
def _sms_projects(world: World, params: dict[str, str]) -> bytes:
    return world.catalog.projects_answer(params.get("country"), _live(world, params))


def _sms_countries(world: World, params: dict[str, str]) -> list[dict[str, str]]:
    return world.catalog.countries(_live(world, params))


def _add_sms(world: World, params: dict[str, str]) -> dict[str, Any]:
    project_id = params.get("project_id", "")
    if not project_id:
        raise Refusal(texts.PROJECT_ID_REQUIRED)
    project = world.catalog.project(project_id, every_offer=world.has(LIVE))
    if project is None or params.get("country") not in (None, "", project.country_id):
        raise Refusal(texts.PROJECT_NOT_FOUND)
    quantity = _number(params, "quantity", texts.INVALID_QUANTITY, default=1)
    if quantity < 1:
        raise Refusal(texts.QUANTITY_TOO_SMALL)
    phone = params.get("phone", "")
    if phone and world.has(LIVE):
        phone = international(phone, project.country_id)
    if quantity > (1 if phone else MAX_NUMBERS):
        raise Refusal(texts.QUANTITY_TOO_LARGE)
    if phone and not any(
        isinstance(earlier, NumberOrder) and earlier.project_id == project_id
        for earlier in world.store.orders_of_phone(phone)
    ):
        raise Refusal(texts.PHONE_NOT_AVAILABLE)
    granted = min(quantity, project.available)  # fewer than asked is an answer too
    if granted < 1:
        raise Refusal(texts.NO_NUMBERS)
    price_micros = micros_from_text(project.price)
    if price_micros * granted > world.store.balance_micros():
        raise Refusal(texts.INSUFFICIENT_BALANCE)
    fields = {
        "project_id": project_id, "name": project.name, "country": project.country_id, "phone": phone,
        "price_micros": price_micros,
    }  # fmt: skip
    world.catalog.edit_project(project_id, {"available": project.available - granted})
    return {"orders": [_rent(world, fields) for _ in range(granted)]}


def _rent(world: World, fields: dict[str, Any]) -> dict[str, Any]:
    order = plan_number_order(
        fields, order_id=world.store.next_id(), seed=world.seed, settings=world.settings, now=world.now()
    )  # fmt: skip
    world.store.book("charges", -order.price_micros, order.id)
    world.store.save_order(order)
    return {"order": order.id, "phone": _phone(world, order), "country": order.country, "status": "active"}


def _phone(world: World, order: NumberOrder) -> str:
    return national(order.phone, order.country) if world.has(LIVE) else order.phone


def _sms_code(world: World, params: dict[str, str]) -> dict[str, Any]:
    order = _number_order(world, params)
    if order.code:
        return {"status": "completed", "code": order.code, "sms_content": order.sms_content}
    if order.status in ("active", "code_received"):
        return {"status": "waiting", "message": "Waiting for code"}
    return {"status": order.status, "message": f"Number is {order.status}"}


def _sms_status(world: World, params: dict[str, str]) -> dict[str, Any]:
    order = _number_order(world, params)
    return {
        "status": order.status,
        "phone": _phone(world, order),
        "code": order.code or None,
        "charge": order.shown.get("charge", world.shown_money(order.charge_micros, 4)),
        "currency": world.settings.currency,
        "expires_at": order.expires,
    }


# --- Parameters ----------------------------------------------------------------------------------------------------
def _number(
    params: dict[str, str], name: str, wrong: str, *, default: int | None = None, missing: str | None = None
) -> int:
    text = params.get(name, "").strip()
    if not text and default is not None:
        return default
    if not text:
        raise Refusal(missing or wrong)
    # Not just int(): it takes "1_000", "٣" and a number of a million digits.
    if not (text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()) or len(text) > 12:
        raise Refusal(wrong)
    return int(text)


def _service(world: World, params: dict[str, str]) -> dict[str, Any]:
    service_id = _number(params, "service", texts.SERVICE_NOT_FOUND, missing=texts.SERVICE_ID_REQUIRED)
    row = world.catalog.service(service_id)
    if row is None:
        raise Refusal(texts.SERVICE_NOT_FOUND)
    return row


def _order(world: World, params: dict[str, str]) -> ServiceOrder | NumberOrder:
    order_id = _number(params, "order", texts.ORDER_NOT_FOUND, missing=texts.ORDER_ID_REQUIRED)
    order = world.store.order(order_id)
    if order is None:
        raise Refusal(texts.ORDER_NOT_FOUND)
    return order


def _number_order(world: World, params: dict[str, str]) -> NumberOrder:
    order = _order(world, params)
    if not isinstance(order, NumberOrder):
        raise Refusal(texts.ORDER_NOT_FOUND)
    return order


def _check_link(link: str) -> None:
    if not link:
        raise Refusal(texts.LINK_REQUIRED)
    try:
        parts = urlsplit(link)
    except ValueError:
        raise Refusal(texts.INVALID_LINK) from None
    if parts.scheme not in ("http", "https") or "." not in parts.netloc or len(link) > LONGEST_LINK or " " in link:
        raise Refusal(texts.INVALID_LINK)


def _check_comments(comments: str, quantity: int) -> None:
    written = lines(comments)
    if not written:
        raise Refusal(texts.COMMENTS_REQUIRED)
    if len(written) != quantity:
        raise Refusal(texts.COMMENTS_MISMATCH)


def _charge_micros(row: dict[str, Any], quantity: int) -> int:
    """Rate × quantity ÷ pieces per rate; what is finer than a micro is rounded up."""
    try:
        rate = Decimal(str(row["rate"]))
        return micros_from_decimal(rate * quantity / row["rate_per"])
    except (InvalidOperation, ValueError):
        raise Refusal(texts.NOT_ORDERABLE) from None  # the rate was edited into something without a price


ACTIONS: dict[str, Callable[[World, dict[str, str]], Any]] = {
    "categories": _categories,
    "services": _services,
    "inventory": _inventory,
    "add": _add,
    "status": _status,
    "balance": _balance,
    "sms_projects": _sms_projects,
    "sms_countries": _sms_countries,
    "add_sms": _add_sms,
    "sms_code": _sms_code,
    "sms_status": _sms_status,
}
