"""Pure parsing: how a body becomes a value, or `Unreadable`. Nothing here opens a socket.

Strict about what matters (ids, money, quantities), deaf to unknown fields. Each parser names the section of the
HstockPlus API document it follows, read 2026-11-23. Every value is read by `upstream.reading`, in one way everywhere.
"""

import functools
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from upstream.protocol.fields import (
    ANY,
    DECODING_ERRORS,
    LONGEST_SHOWN,
    Unreadable,
    as_sent,
    decode,
    decoded,
    fields_of,
    fitting,
    flag,
    required,
    rows,
    without_nul,
    word,
)
from upstream.protocol.wire import (
    Balance,
    CategoryRow,
    Inventory,
    OrderStatus,
    PlacedOrder,
    Rows,
    ServicePage,
    ServiceRow,
    SetAside,
    SmsCode,
    SmsCountry,
    SmsNumber,
    SmsProject,
    SmsStatus,
)
from upstream.reading.amounts import MAX_INTEGER, amount, whole
from upstream.reading.bodies import without_mark
from upstream.reading.codes import code, message, phone
from upstream.reading.identifiers import currency, order_id, reference
from upstream.reading.text import means_nothing, named, names_nothing, said, shortened
from upstream.reading.times import instant

__all__ = ["ANY", "DECODING_ERRORS", "Unreadable"]

# What the columns of countries, projects and subcategories hold.
LONGEST_COUNTRY_CODE, LONGEST_COUNTRY, LONGEST_PROJECT_ID, LONGEST_NAME = 20, 100, 64, 200


def _charge(value: Any) -> Decimal | None:
    found = amount(value)
    return found if found is not None and found >= 0 else None


def _identifier(value: Any) -> str:
    found = order_id(value)
    if found is None:
        raise Unreadable("is not an order id", "order")
    return found


def _reference(value: Any, longest: int, field: str) -> str:
    """Return an id or a code that is sent back as it came, "" for none. Raises Unreadable for what can't be kept."""
    found = reference(value, longest)
    if found is None:
        fitting(as_sent(value).strip(), longest, field)
        raise Unreadable("is not readable", field)
    return "" if names_nothing(found) else found


# --- Catalog: "Get Categories", "Services list", "Check inventory" --------------------------------------------------
def parse_categories(body: bytes) -> Rows[CategoryRow]:
    """Read `{"categories": [...]}` or the bare array; names that cannot be kept are set aside one by one."""
    value = decoded(body)
    found = rows(value.get("categories") if isinstance(value, dict) else value, _category, "categories", "category")
    too_long = [
        SetAside(shortened(row.category, LONGEST_SHOWN), "subcategories", f"is longer than {LONGEST_NAME} characters")
        for row in found
        if any(len(name) > LONGEST_NAME for name in row.subcategories)
    ]
    kept = Rows(*(_without_long_names(row) for row in found))
    kept.set_aside = found.set_aside + too_long
    return kept


def _category(row: dict[str, Any]) -> CategoryRow:
    sent = row.get("category")
    category = fitting(required(named(as_sent(sent)), "category"), LONGEST_NAME, "category")
    names = row.get("subcategories")
    pairs = [(named(as_sent(name)), as_sent(name)) for name in names] if isinstance(names, list) else []
    return _category_row(category, as_sent(sent), [(shown, name) for shown, name in pairs if shown])


def _without_long_names(row: CategoryRow) -> CategoryRow:
    pairs = [(shown, sent) for shown, sent in row.spellings() if len(shown) <= LONGEST_NAME]
    return _category_row(row.category, row.category_sent or row.category, pairs)


def _category_row(category: str, category_sent: str, pairs: list[tuple[str, str]]) -> CategoryRow:
    shown, sent = [name for name, _sent in pairs], tuple(sent for _name, sent in pairs)
    own_names = "" if category_sent == category else category_sent, () if list(sent) == shown else sent
    return CategoryRow(category, shown, *own_names)


class _Services(msgspec.Struct):
    services: list[msgspec.Raw]
    total: Any = None
    page: Any = None
    limit: Any = None
    total_pages: Any = None


_SERVICES = msgspec.json.Decoder(_Services)
_BARE_SERVICES = msgspec.json.Decoder(list[msgspec.Raw])


class _Service(msgspec.Struct, gc=False):
    """A row as it is sent. The rate stays what was on the wire: text, or a whole number."""

    service: int
    name: str
    category: str
    rate: Any
    min: int
    max: int
    type: str = ""
    refill: bool = False
    cancel: bool = False
    stock: int | None = None
    description: str = ""
    entity_type: str = msgspec.field(default="", name="entityType")


_SERVICE = msgspec.json.Decoder(_Service, strict=False, float_hook=str)
_FAULT = re.compile(r"`\$\.(\w+)`|field `(\w+)`")


def parse_services(body: bytes, page: int = 1, limit: int = 0) -> ServicePage:
    """Read `{"services": [...], ...}` or the bare array; `page` and `limit` are what was asked for.

    Rows are decoded one by one, so that a single bad row costs only itself.
    """
    reply: _Services | None = None
    with suppress(*DECODING_ERRORS):
        is_bare = without_mark(body).lstrip()[:1] == b"["
        reply = _Services(decode(_BARE_SERVICES, body)) if is_bare else decode(_SERVICES, body)
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
    page = whole(reply.page) or page
    told_limit = whole(reply.limit)
    # Without totals a full page may have a successor; asking once too often is the harmless mistake.
    last_page = page + 1 if limit and count >= limit else page
    total = whole(reply.total)
    return ServicePage(
        services=services,
        set_aside=set_aside,
        total=(page - 1) * limit + count if total is None else total,
        page=page,
        limit=(limit or count) if told_limit is None else told_limit,
        total_pages=whole(reply.total_pages) or last_page,
    )


def _service(raw: msgspec.Raw, place: int) -> ServiceRow | SetAside:
    try:
        row = _SERVICE.decode(raw)
    except DECODING_ERRORS:
        return _service_with_odd_fields(raw, place)
    return _checked(row, place)


def _service_with_odd_fields(raw: msgspec.Raw, place: int) -> ServiceRow | SetAside:
    """Read a row in which something has an unexpected type; what does not matter for selling is put right."""
    try:
        found = fields_of(raw)
    except Unreadable as error:
        return SetAside(f"row {place}", "", str(error))
    for name in ("type", "description", "entityType"):
        found[name] = as_sent(found.get(name))
    for name in ("refill", "cancel"):
        found[name] = flag(found.get(name))
    try:
        return _checked(msgspec.convert(found, _Service, strict=False), place)
    except (msgspec.ValidationError, ValueError) as error:
        problem = str(error)
    fault = _FAULT.search(problem)
    field = (fault[1] or fault[2]) if fault else ""
    name = shortened(word(found.get("service")), LONGEST_SHOWN) or f"row {place}"
    return SetAside(name, field, problem.split(" - at `")[0])


# A catalog has few categories and types, and few rates, for many services.
_named = functools.lru_cache(maxsize=4096)(named)


@functools.lru_cache(maxsize=4096)
def _rate(value: Any) -> Decimal | str:
    """Return the rate, or what is wrong with it."""
    found = amount(value)
    if found is not None and found >= 0:
        return found
    with suppress(InvalidOperation, ValueError):
        Decimal(as_sent(value))
        return "not an amount of money"
    return "Invalid decimal string"


def _checked(row: _Service, place: int) -> ServiceRow | SetAside:
    rate = _rate(row.rate) if isinstance(row.rate, str | int) else "not an amount of money"
    name, category = named(row.name), _named(row.category)
    problem = field = ""
    if not 0 < row.service <= MAX_INTEGER:
        field, problem = "service", "not a positive 64-bit number"
    elif isinstance(rate, str):
        field, problem = "rate", rate
    elif not 0 <= row.min <= MAX_INTEGER:
        field, problem = "min", "out of range"
    elif not 0 <= row.max <= MAX_INTEGER:
        field, problem = "max", "out of range"
    elif not name:
        field, problem = "name", "empty"
    elif not category:
        field, problem = "category", "empty"
    if isinstance(rate, str) or problem:
        return SetAside(shortened(as_sent(row.service), LONGEST_SHOWN) or f"row {place}", field, problem)
    stock = row.stock
    if stock is not None and not 0 <= stock <= MAX_INTEGER:
        stock = 0 if stock < 0 else MAX_INTEGER  # oversold is sold out
    return ServiceRow(
        row.service,
        name,
        category,
        rate,
        row.min,
        row.max,
        _named(row.type),
        row.refill,
        row.cancel,
        stock,
        "" if names_nothing(row.description) else as_sent(row.description),
        _named(row.entity_type),
    )


def parse_inventory(body: bytes, service_id: int) -> Inventory:
    """Read `{"service", "stock", "available"}`; without `available`, what is not sold out is available."""
    row = fields_of(body)
    stock = row.get("stock")
    left = None if stock is None else max(required(whole(stock), "stock"), 0)
    available = row.get("available")
    return Inventory(whole(row.get("service")) or service_id, left, left != 0 if available is None else flag(available))


# --- Orders and money: "Add order", "Order status", "Balance" -------------------------------------------------------
def parse_placed_order(body: bytes) -> PlacedOrder:
    """Read `{"order": id}`; the id may be a number or text."""
    return PlacedOrder(_identifier(fields_of(body).get("order")))


def parse_order_status(body: bytes) -> OrderStatus:
    """Read `{"status", "charge", "start_count", "remains", "currency"}` and, where present, `accounts`.

    Only `status` has to be there: the other figures become None where they are missing or make no sense.
    """
    raw = fields_of(body)
    return OrderStatus(
        status=required(word(raw.get("status")), "status"),
        charge=_charge(raw.get("charge")),
        start_count=whole(raw.get("start_count")),
        remains=whole(raw.get("remains")),
        currency=currency(raw.get("currency")),
        accounts=_accounts(raw.get("accounts")),
        raw=without_nul(raw),
    )


def parse_balance(body: bytes) -> Balance:
    """Read `{"balance", "currency"}`; the balance may be below zero."""
    row = fields_of(body)
    return Balance(required(amount(row.get("balance")), "balance"), currency(row.get("currency")))


def _accounts(value: Any) -> list[str]:
    """Delivered goods as lines of text, untouched: passwords are in them. What has a structure is kept as JSON."""
    lines = value if isinstance(value, list) else [value]
    return [
        as_sent(line) or msgspec.json.encode(line).decode().replace("\\u0000", "")
        for line in lines
        if line not in (None, False, "", [], {})
    ]


# --- SMS: "SMS Verification API", 1 to 5 ----------------------------------------------------------------------------
def parse_sms_projects(body: bytes) -> Rows[SmsProject]:
    """Read the bare array of projects."""
    return rows(decoded(body), _project, "projects", "project_id")


def _project(row: dict[str, Any]) -> SmsProject:
    project_id = required(_reference(row.get("project_id"), LONGEST_PROJECT_ID, "project_id"), "project_id")
    title = _country_title(row.get("country_title"))
    return SmsProject(
        project_id=project_id,
        name=fitting(required(named(as_sent(row.get("name"))), "name"), LONGEST_NAME, "name"),
        price=required(_charge(row.get("price")), "price"),
        country_id=_reference(row.get("country_id"), LONGEST_COUNTRY_CODE, "country_id"),
        country_title=fitting(title, LONGEST_COUNTRY, "country_title"),
    )


def _country_title(value: Any) -> str:
    """Return what a country is called, "" where that is not said. "NA" is not said either: as a code it is Namibia."""
    title = named(as_sent(value))
    return "" if means_nothing(title) else title


def parse_sms_countries(body: bytes) -> Rows[SmsCountry]:
    """Read the bare array of countries."""
    return rows(decoded(body), _country, "countries", "country_code")


def _country(row: dict[str, Any]) -> SmsCountry:
    country_code = required(_reference(row.get("country_code"), LONGEST_COUNTRY_CODE, "country_code"), "country_code")
    name = required(_country_title(row.get("country_name")), "country_name")
    return SmsCountry(country_code, fitting(name, LONGEST_COUNTRY, "country_name"))


def parse_sms_numbers(body: bytes) -> Rows[SmsNumber]:
    """Read `{"orders": [{"order", "phone", "country", "status"}, ...]}`; at least one has to carry an order id."""
    numbers = rows(fields_of(body).get("orders"), _number, "orders", "order")
    if not numbers:
        raise Unreadable("an empty list of orders")
    return numbers


def _number(row: dict[str, Any]) -> SmsNumber:
    return SmsNumber(
        order_id=_identifier(row.get("order")),
        phone=phone(row.get("phone")),
        country=word(row.get("country")),
        status=word(row.get("status")),
    )


def parse_sms_code(body: bytes) -> SmsCode:
    """Read `{"status", "code", "sms_content"}` or, while there is no code, `{"status", "message"}`."""
    row = fields_of(body)
    return SmsCode(
        status=required(word(row.get("status")), "status"),
        code=code(row.get("code")),
        sms_content=message(row.get("sms_content"), row.get("code")),
        message=said(as_sent(row.get("message"))),
    )


def parse_sms_status(body: bytes) -> SmsStatus:
    """Read `{"status", "phone", "code", "charge", "currency", "expires_at"}` and, where present, `sms_content`."""
    raw = fields_of(body)
    return SmsStatus(
        status=required(word(raw.get("status")), "status"),
        phone=phone(raw.get("phone")),
        code=code(raw.get("code")),
        sms_content=message(raw.get("sms_content"), raw.get("code")),
        charge=_charge(raw.get("charge")),
        currency=currency(raw.get("currency")),
        expires_at=instant(raw.get("expires_at")),
        raw=without_nul(raw),
    )
