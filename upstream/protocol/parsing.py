"""Pure parsing: how a body becomes a value, or `Unreadable`. Nothing here opens a socket.

Strict about what matters (ids, money, quantities), deaf to unknown fields. Each parser names the section of the
HstockPlus API document it follows, read 2026-11-23.
"""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from upstream.protocol.wire import (
    Balance,
    CategoryRow,
    Inventory,
    OrderStatus,
    PlacedOrder,
    ServicePage,
    ServiceRow,
    SetAside,
    SmsCode,
    SmsCountry,
    SmsNumber,
    SmsProject,
    SmsStatus,
)

T = TypeVar("T")
Row = TypeVar("Row")

logger = logging.getLogger(__name__)

MAX_INTEGER = 2**63 - 1  # what a database column holds
MAX_MONEY = Decimal(10) ** 12  # keeps micros inside 64 bits, and a hostile "1e999999999" out of the arithmetic
MAX_ID_LENGTH = 64


class Unreadable(ValueError):
    """A body does not hold what the document promises; the text says what is missing, never what was there."""


# Untyped numbers with a fraction stay the text that was on the wire, so that no amount passes through a float.
ANY = msgspec.json.Decoder(float_hook=str)
# ValueError: bytes that are not UTF-8, and numbers of thousands of digits.
DECODING_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError)


# --- Values ---------------------------------------------------------------------------------------------------------
def text_of(value: Any) -> str:
    """Return text without NUL (PostgreSQL cannot hold it), the digits of a whole number, "" for anything else."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_ID_LENGTH:
        return str(value)
    return ""


def _money(value: Any) -> Decimal | None:
    """An exact amount from text or a whole number (`ANY` leaves fractions as text), None when it is not one."""
    try:
        amount = Decimal(text_of(value).strip())
    except InvalidOperation:
        return None
    # Compared, not computed with: arithmetic on "1e999999999" overflows.
    return amount if amount.is_finite() and -MAX_MONEY < amount < MAX_MONEY else None


def _whole(value: Any) -> int | None:
    """A whole number that fits a column, from a number or text like "12" or "12.0"; None when it is not one."""
    amount = _money(value)
    if amount is None or amount != amount.to_integral_value():
        return None
    return int(amount)


_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")


def _identifier(value: Any, field: str) -> str:
    """An order id as text. Raises Unreadable for what cannot be one, such as 0, "" or null."""
    text = text_of(value).strip()
    if len(text) > MAX_ID_LENGTH or not _ID.fullmatch(text) or not text.strip("0"):
        raise Unreadable(f"`{field}` is not an order id")
    return text


def _instant(value: Any) -> datetime | None:
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text_of(value).strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return None


def _flag(value: Any) -> bool:
    return text_of(value).strip().lower() in ("1", "true", "yes") if not isinstance(value, bool) else value


def _anything(body: bytes | msgspec.Raw) -> Any:
    try:
        return ANY.decode(body)
    except DECODING_ERRORS:
        pass
    raise Unreadable("not JSON")


def _object(body: bytes | msgspec.Raw) -> dict[str, Any]:
    value = _anything(body)
    if not isinstance(value, dict):
        raise Unreadable("not an object")
    return value


def _required(value: T | None, field: str) -> T:
    if value is None or value == "":
        raise Unreadable(f"`{field}` is missing or not readable")
    return value


def _rows(values: Any, read: Callable[[dict[str, Any]], Row], what: str) -> list[Row]:
    """Read each row; those that cannot be read are left out. Raises Unreadable when that leaves none of several."""
    if not isinstance(values, list):
        raise Unreadable(f"no list of {what}")
    rows: list[Row] = []
    for value in values:
        with suppress(Unreadable):
            rows.append(read(value if isinstance(value, dict) else {}))
    if values and not rows:
        raise Unreadable(f"none of {len(values)} {what} is readable")
    if len(rows) < len(values):
        logger.warning("%d of %d %s could not be read", len(values) - len(rows), len(values), what)
    return rows


# --- Catalog: "Get Categories", "Services list", "Check inventory" --------------------------------------------------
def parse_categories(body: bytes) -> list[CategoryRow]:
    """Read `{"categories": [...]}` or the bare array."""
    value = _anything(body)
    return _rows(value.get("categories") if isinstance(value, dict) else value, _category, "categories")


def _category(row: dict[str, Any]) -> CategoryRow:
    names = row.get("subcategories")
    found = [text_of(name) for name in names] if isinstance(names, list) else []
    return CategoryRow(_required(text_of(row.get("category")), "category"), [name for name in found if name])


class _Services(msgspec.Struct):
    services: list[msgspec.Raw]
    total: Any = None
    page: Any = None
    limit: Any = None
    total_pages: Any = None


_SERVICES = msgspec.json.Decoder(_Services)
_BARE_SERVICES = msgspec.json.Decoder(list[msgspec.Raw])
_SERVICE = msgspec.json.Decoder(ServiceRow, strict=False)
_FAULT = re.compile(r"`\$\.(\w+)`|field `(\w+)`")


def parse_services(body: bytes, page: int = 1, limit: int = 0) -> ServicePage:
    """Read `{"services": [...], ...}` or the bare array; `page` and `limit` are what was asked for.

    Rows are decoded one by one, so that a single bad row costs only itself.
    """
    reply: _Services | None = None
    with suppress(*DECODING_ERRORS):
        is_bare = body.lstrip()[:1] == b"["
        reply = _Services(_BARE_SERVICES.decode(body)) if is_bare else _SERVICES.decode(body)
    if reply is None:
        raise Unreadable("no list of services")
    services: list[ServiceRow] = []
    set_aside: list[SetAside] = []
    for place, raw in enumerate(reply.services, start=1):
        row = _service(raw, place)
        if isinstance(row, ServiceRow):
            services.append(row)
        else:
            set_aside.append(row)
    count = len(reply.services)
    page = _whole(reply.page) or page
    told_limit = _whole(reply.limit)
    # Without totals a full page may have a successor; asking once too often is the harmless mistake.
    last_page = page + 1 if limit and count >= limit else page
    total = _whole(reply.total)
    return ServicePage(
        services=services,
        set_aside=set_aside,
        total=(page - 1) * limit + count if total is None else total,
        page=page,
        limit=(limit or count) if told_limit is None else told_limit,
        total_pages=_whole(reply.total_pages) or last_page,
    )


def _service(raw: msgspec.Raw, place: int) -> ServiceRow | SetAside:
    try:
        row = _SERVICE.decode(raw)
    except DECODING_ERRORS:
        return _service_with_odd_fields(raw, place)
    return _checked(row)


def _service_with_odd_fields(raw: msgspec.Raw, place: int) -> ServiceRow | SetAside:
    """Read a row in which something has an unexpected type; what does not matter for selling is put right."""
    try:
        fields = _object(raw)
    except Unreadable as error:
        return SetAside(f"row {place}", "", str(error))
    for name in ("type", "description", "entityType"):
        fields[name] = text_of(fields.get(name))
    for name in ("refill", "cancel"):
        fields[name] = _flag(fields.get(name))
    try:
        return _checked(msgspec.convert(fields, ServiceRow, strict=False))
    except (msgspec.ValidationError, ValueError) as error:
        problem = str(error)
    fault = _FAULT.search(problem)
    field = (fault[1] or fault[2]) if fault else ""
    return SetAside(text_of(fields.get("service")) or f"row {place}", field, problem.split(" - at `")[0])


def _checked(row: ServiceRow) -> ServiceRow | SetAside:
    problem = field = ""
    if not 0 < row.service <= MAX_INTEGER:
        field, problem = "service", "not a positive 64-bit number"
    elif not row.rate.is_finite() or not 0 <= row.rate < MAX_MONEY:
        field, problem = "rate", "not an amount of money"
    elif not 0 <= row.min <= MAX_INTEGER:
        field, problem = "min", "out of range"
    elif not 0 <= row.max <= MAX_INTEGER:
        field, problem = "max", "out of range"
    elif not row.name.strip("\x00 \t\r\n"):
        field, problem = "name", "empty"
    elif not row.category.strip("\x00 \t\r\n"):
        field, problem = "category", "empty"
    if problem:
        return SetAside(text_of(row.service), field, problem)
    fixed: dict[str, Any] = {}
    if row.stock is not None and not 0 <= row.stock <= MAX_INTEGER:
        fixed["stock"] = 0 if row.stock < 0 else MAX_INTEGER  # oversold is sold out
    for name in ("name", "category", "type", "description", "entity_type"):
        if "\x00" in getattr(row, name):
            fixed[name] = text_of(getattr(row, name))
    return msgspec.structs.replace(row, **fixed) if fixed else row


def parse_inventory(body: bytes, service_id: int) -> Inventory:
    """Read `{"service", "stock", "available"}`; without `available`, what is not sold out is available."""
    row = _object(body)
    stock = row.get("stock")
    left = None if stock is None else max(_required(_whole(stock), "stock"), 0)
    available = row.get("available")
    return Inventory(
        _whole(row.get("service")) or service_id, left, left != 0 if available is None else _flag(available)
    )


# --- Orders and money: "Add order", "Order status", "Balance" -------------------------------------------------------
def parse_placed_order(body: bytes) -> PlacedOrder:
    """Read `{"order": id}`; the id may be a number or text."""
    return PlacedOrder(_identifier(_object(body).get("order"), "order"))


def parse_order_status(body: bytes) -> OrderStatus:
    """Read `{"status", "charge", "start_count", "remains", "currency"}` and, where present, `accounts`.

    Only `status` has to be there: the other figures become None where they are missing or make no sense.
    """
    raw = _object(body)
    return OrderStatus(
        status=_required(text_of(raw.get("status")).strip(), "status"),
        charge=_charge(raw.get("charge")),
        start_count=_whole(raw.get("start_count")),
        remains=_whole(raw.get("remains")),
        currency=text_of(raw.get("currency")).strip().upper(),
        accounts=_accounts(raw.get("accounts")),
        raw=_clean(raw),
    )


def parse_balance(body: bytes) -> Balance:
    """Read `{"balance", "currency"}`; the balance may be below zero."""
    row = _object(body)
    return Balance(_required(_money(row.get("balance")), "balance"), text_of(row.get("currency")).strip().upper())


def _charge(value: Any) -> Decimal | None:
    amount = _money(value)
    return amount if amount is not None and amount >= 0 else None


def _accounts(value: Any) -> list[str]:
    """Delivered goods as lines of text; what has a structure of its own is kept as JSON."""
    lines = value if isinstance(value, list) else [] if value in (None, "") else [value]
    return [text_of(line) or msgspec.json.encode(line).decode().replace("\\u0000", "") for line in lines]


def _clean(value: Any) -> Any:
    """The same JSON without NUL characters, which PostgreSQL refuses in text and JSON alike."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(name): _clean(item) for name, item in value.items()}
    return value


# --- SMS: "SMS Verification API", 1 to 5 ----------------------------------------------------------------------------
def parse_sms_projects(body: bytes) -> list[SmsProject]:
    """Read the bare array of projects."""
    return _rows(_anything(body), _project, "projects")


def _project(row: dict[str, Any]) -> SmsProject:
    return SmsProject(
        project_id=_required(text_of(row.get("project_id")).strip(), "project_id"),
        name=_required(text_of(row.get("name")).strip(), "name"),
        price=_required(_charge(row.get("price")), "price"),
        country_id=text_of(row.get("country_id")).strip(),
        country_title=text_of(row.get("country_title")).strip(),
    )


def parse_sms_countries(body: bytes) -> list[SmsCountry]:
    """Read the bare array of countries."""
    return _rows(_anything(body), _country, "countries")


def _country(row: dict[str, Any]) -> SmsCountry:
    return SmsCountry(
        country_code=_required(text_of(row.get("country_code")).strip(), "country_code"),
        country_name=_required(text_of(row.get("country_name")).strip(), "country_name"),
    )


def parse_sms_numbers(body: bytes) -> list[SmsNumber]:
    """Read `{"orders": [{"order", "phone", "country", "status"}, ...]}`; at least one has to carry an order id."""
    numbers = _rows(_object(body).get("orders"), _number, "orders")
    if not numbers:
        raise Unreadable("an empty list of orders")
    return numbers


def _number(row: dict[str, Any]) -> SmsNumber:
    return SmsNumber(
        order_id=_identifier(row.get("order"), "order"),
        phone=text_of(row.get("phone")).strip(),
        country=text_of(row.get("country")).strip(),
        status=text_of(row.get("status")).strip(),
    )


def parse_sms_code(body: bytes) -> SmsCode:
    """Read `{"status", "code", "sms_content"}` or, while there is no code, `{"status", "message"}`."""
    row = _object(body)
    return SmsCode(
        status=_required(text_of(row.get("status")).strip(), "status"),
        code=text_of(row.get("code")).strip(),
        sms_content=text_of(row.get("sms_content")),
        message=text_of(row.get("message")),
    )


def parse_sms_status(body: bytes) -> SmsStatus:
    """Read `{"status", "phone", "code", "charge", "currency", "expires_at"}` and, where present, `sms_content`."""
    raw = _object(body)
    return SmsStatus(
        status=_required(text_of(raw.get("status")).strip(), "status"),
        phone=text_of(raw.get("phone")).strip(),
        code=text_of(raw.get("code")).strip(),
        sms_content=text_of(raw.get("sms_content")),
        charge=_charge(raw.get("charge")),
        currency=text_of(raw.get("currency")).strip().upper(),
        expires_at=_instant(raw.get("expires_at")),
        raw=_clean(raw),
    )
