"""Parsing alone: a body in, a value out."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from upstream.protocol import parsing
from upstream.protocol.wire import (
    Balance,
    CategoryRow,
    Inventory,
    ServiceRow,
    SetAside,
    SmsCode,
    SmsCountry,
    SmsNumber,
    SmsProject,
)

SERVICE = {
    "service": 1,
    "name": "Instagram Followers",
    "type": "Default",
    "category": "Instagram",
    "rate": "0.50",
    "min": 100,
    "max": 10000,
    "refill": True,
    "cancel": False,
    "stock": 10000,
}


def body(value: object) -> bytes:
    return msgspec.json.encode(value)


def one_service(**changes: object) -> ServiceRow | SetAside:
    """Parse a page with the document's first service, changed; `...` leaves a field out."""
    row = {name: value for name, value in (SERVICE | changes).items() if value is not ...}
    page = parsing.parse_services(body({"services": [row]}))
    return (page.services + page.set_aside)[0]  # type: ignore[operator, no-any-return]


# --- Catalog ----------------------------------------------------------------------------------------------------------
def test_parse_categories_when_as_documented_or_bare_gives_the_same() -> None:
    rows = [{"category": "Instagram", "subcategories": ["Followers", "Likes"]}, {"category": "E-mail"}]

    expected = [CategoryRow("Instagram", ["Followers", "Likes"]), CategoryRow("E-mail", [])]
    assert parsing.parse_categories(body({"categories": rows})) == expected
    assert parsing.parse_categories(body(rows)) == expected


def test_parse_categories_when_one_row_is_odd_keeps_the_others() -> None:
    rows = [{"category": None}, "what?", {"category": "Instagram", "subcategories": [None, "Likes"]}]

    assert parsing.parse_categories(body(rows)) == [CategoryRow("Instagram", ["Likes"])]


def test_parse_categories_when_no_row_is_readable_raises() -> None:
    with pytest.raises(parsing.Unreadable):
        parsing.parse_categories(b'[{"title": "Instagram"}]')


def test_parse_services_when_as_documented_reads_everything() -> None:
    page = parsing.parse_services(
        body({"services": [SERVICE], "total": 150, "page": "1", "limit": 50, "total_pages": 3, "new": []})
    )

    assert page.services == [
        ServiceRow(
            service=1,
            name="Instagram Followers",
            category="Instagram",
            rate=Decimal("0.50"),
            min=100,
            max=10000,
            type="Default",
            refill=True,
            cancel=False,
            stock=10000,
        )
    ]
    assert (page.set_aside, page.total, page.page, page.limit, page.total_pages) == ([], 150, 1, 50, 3)


def test_parse_services_when_bare_counts_for_itself() -> None:
    whole = parsing.parse_services(body([SERVICE, SERVICE]))
    full_page = parsing.parse_services(body([SERVICE, SERVICE]), page=2, limit=2)
    last_page = parsing.parse_services(body([SERVICE]), page=3, limit=2)

    assert (whole.total, whole.page, whole.limit, whole.total_pages) == (2, 1, 2, 1)
    assert (full_page.total, full_page.page, full_page.limit, full_page.total_pages) == (4, 2, 2, 3)
    assert (last_page.total, last_page.page, last_page.limit, last_page.total_pages) == (5, 3, 2, 3)


@pytest.mark.parametrize("reply", [b"{}", b'{"services": {}}', b"null", b'[{"service":1}', b"\xff", b"[" * 50_000])
def test_parse_services_when_there_is_no_list_raises(reply: bytes) -> None:
    with pytest.raises(parsing.Unreadable):
        parsing.parse_services(reply)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rate": ...}, SetAside("1", "rate", "Object missing required field `rate`")),
        ({"rate": "free"}, SetAside("1", "rate", "Invalid decimal string")),
        ({"rate": "NaN"}, SetAside("1", "rate", "not an amount of money")),
        ({"rate": "-0.5"}, SetAside("1", "rate", "not an amount of money")),
        ({"rate": "1e999999999"}, SetAside("1", "rate", "not an amount of money")),
        ({"min": "many"}, SetAside("1", "min", "Expected `int`, got `str`")),
        ({"max": None}, SetAside("1", "max", "Expected `int`, got `null`")),
        ({"max": 2**63}, SetAside("1", "max", "out of range")),
        ({"stock": "lots"}, SetAside("1", "stock", "Expected `int | null`, got `str`")),
        ({"name": ""}, SetAside("1", "name", "empty")),
        ({"name": 5}, SetAside("1", "name", "Expected `str`, got `int`")),
        ({"category": ...}, SetAside("1", "category", "Object missing required field `category`")),
        ({"service": "abc"}, SetAside("abc", "service", "Expected `int`, got `str`")),
        ({"service": ...}, SetAside("row 1", "service", "Object missing required field `service`")),
        ({"service": 0}, SetAside("0", "service", "not a positive 64-bit number")),
    ],
)
def test_parse_services_when_a_field_that_matters_is_bad_names_it(changes: dict, problem: SetAside) -> None:
    assert one_service(**changes) == problem


def test_parse_services_when_rows_are_bad_goes_on_with_the_rest() -> None:
    page = parsing.parse_services(b'[null, {"service": 2, "name": "\xff"}, ' + body(SERVICE) + b"]")

    assert [row.service for row in page.services] == [1]
    assert [(row.service, row.field) for row in page.set_aside] == [("row 1", ""), ("2", "category")]
    assert page.total == 3


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"rate": "0.1000000000000000055511151231257827"}, "rate", Decimal("0.1000000000000000055511151231257827")),
        ({"rate": 5}, "rate", Decimal(5)),
        ({"service": "12"}, "service", 12),
        ({"min": "100"}, "min", 100),
        ({"stock": ...}, "stock", None),
        ({"stock": None}, "stock", None),
        ({"stock": "0"}, "stock", 0),
        ({"stock": -3}, "stock", 0),
        ({"max": 0, "stock": 0}, "max", 0),
        ({"refill": "yes"}, "refill", True),
        ({"refill": 1}, "refill", True),
        ({"refill": None}, "refill", False),
        ({"cancel": ["?"]}, "cancel", False),
        ({"type": None}, "type", ""),
        ({"description": "<b>Fast\x00</b>"}, "description", "<b>Fast</b>"),
        ({"description": {"en": 1}}, "description", ""),
        ({"entityType": "product", "id": "65f", "imageUrl": None}, "entity_type", "product"),
        ({"entityType": 7, "name": "A\x00B"}, "name", "AB"),
    ],
)
def test_parse_services_when_values_come_in_another_format_reads_them(changes: dict, field: str, value: object) -> None:
    row = one_service(**changes)

    assert isinstance(row, ServiceRow)
    assert getattr(row, field) == value


@pytest.mark.parametrize("number", ["0.1", "0.30", "1234567.891", "1e-7", "100000000000.0000000001"])
def test_money_when_it_is_a_json_number_is_exact(number: str) -> None:
    row = body(SERVICE).replace(b'"0.50"', number.encode())

    assert parsing.parse_services(b"[" + row + b"]").services[0].rate == Decimal(number)
    assert parsing.parse_balance(f'{{"balance": {number}}}'.encode()).balance == Decimal(number)
    project = f'[{{"project_id": 1, "name": "x", "price": {number}}}]'
    assert parsing.parse_sms_projects(project.encode())[0].price == Decimal(number)
    status = parsing.parse_order_status(f'{{"status": "Pending", "charge": {number}}}'.encode())
    assert (status.charge, status.raw["charge"]) == (Decimal(number), number)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"service": 23501, "stock": 42, "available": true}', Inventory(23501, 42, True)),
        ('{"stock": "0", "available": 0}', Inventory(7, 0, False)),
        ('{"stock": -1}', Inventory(7, 0, False)),
        ('{"stock": null}', Inventory(7, None, True)),
    ],
)
def test_parse_inventory_reads(reply: str, expected: Inventory) -> None:
    assert parsing.parse_inventory(reply.encode(), service_id=7) == expected


# --- Orders -----------------------------------------------------------------------------------------------------------
def test_parse_order_status_when_as_documented_reads_and_keeps_it() -> None:
    reply = {"status": "In progress", "charge": "5.00", "start_count": 1000, "remains": 500, "currency": "usd"}

    status = parsing.parse_order_status(body(reply))

    assert (status.status, status.charge, status.currency) == ("In progress", Decimal("5.00"), "USD")
    assert (status.start_count, status.remains, status.accounts) == (1000, 500, [])
    assert status.raw == reply


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("500", 500),
        (None, None),
        ("", None),
        (-20, -20),
        ("-20", -20),
        ("7.0", 7),
        ("N/A", None),
        (True, None),
        ([], None),
    ],
)
def test_parse_order_status_when_counts_are_odd_gives_a_number_or_nothing(value: object, expected: int | None) -> None:
    status = parsing.parse_order_status(body({"status": "Partial", "remains": value, "start_count": value}))

    assert (status.remains, status.start_count) == (expected, expected)


@pytest.mark.parametrize("charge", [None, "", "free", "-1", "NaN", "Infinity", {}])
def test_parse_order_status_when_the_charge_makes_no_sense_has_none(charge: object) -> None:
    assert parsing.parse_order_status(body({"status": "Pending", "charge": charge})).charge is None


@pytest.mark.parametrize(
    ("accounts", "lines"),
    [
        (["a@b.c:pass:x", "d----e"], ["a@b.c:pass:x", "d----e"]),
        ("a@b.c|pass", ["a@b.c|pass"]),
        ([{"mail": "a@b.c"}, 5], ['{"mail":"a@b.c"}', "5"]),
        (None, []),
        ("", []),
    ],
)
def test_parse_order_status_when_goods_are_delivered_keeps_their_lines(accounts: object, lines: list[str]) -> None:
    assert parsing.parse_order_status(body({"status": "Completed", "accounts": accounts})).accounts == lines


def test_parse_order_status_when_the_payload_holds_nul_drops_it() -> None:
    status = parsing.parse_order_status(b'{"status": "Pend\\u0000ing", "x": {"a\\u0000": ["\\u0000b"]}}')

    assert status.status == "Pending"
    assert status.raw == {"status": "Pending", "x": {"a": ["b"]}}


@pytest.mark.parametrize("reply", ["{}", '{"status": ""}', '{"status": null}', "[]", '"Pending"'])
def test_parse_order_status_when_there_is_no_status_raises(reply: str) -> None:
    with pytest.raises(parsing.Unreadable):
        parsing.parse_order_status(reply.encode())


def test_parse_balance_when_overdrawn_is_below_zero() -> None:
    assert parsing.parse_balance(b'{"balance": "-3.50", "currency": "USD"}') == Balance(Decimal("-3.50"), "USD")


# --- SMS --------------------------------------------------------------------------------------------------------------
def test_parse_sms_projects_when_one_is_odd_keeps_the_others() -> None:
    good = {
        "project_id": "65f",
        "name": "OpenAI",
        "price": "0.5000",
        "country_id": "us",
        "country_title": "United States",
    }

    projects = parsing.parse_sms_projects(body([good, good | {"price": None}, good | {"project_id": 7}]))

    assert projects == [
        SmsProject("65f", "OpenAI", Decimal("0.5000"), "us", "United States"),
        SmsProject("7", "OpenAI", Decimal("0.5000"), "us", "United States"),
    ]


def test_parse_sms_countries_when_codes_are_dial_codes_keeps_them() -> None:
    reply = body([{"country_code": "us", "country_name": "United States"}, {"country_code": 93, "country_name": "AF"}])

    assert parsing.parse_sms_countries(reply) == [SmsCountry("us", "United States"), SmsCountry("93", "AF")]


def test_parse_sms_lists_when_empty_are_empty() -> None:
    assert parsing.parse_sms_projects(b"[]") == []
    assert parsing.parse_sms_countries(b" [] ") == []


def test_parse_sms_numbers_when_only_the_id_is_certain_keeps_it() -> None:
    reply = b'{"orders": [{"order": 12345, "phone": "+1", "country": "us", "status": "active"}, {"order": "6"}, {}]}'

    assert parsing.parse_sms_numbers(reply) == [SmsNumber("12345", "+1", "us", "active"), SmsNumber("6", "", "", "")]


def test_parse_sms_code_reads_both_documented_shapes() -> None:
    come = b'{"status": "completed", "code": 123456, "sms_content": "Your code is 123456"}'
    waiting = b'{"status": "waiting", "message": "Waiting for code"}'

    assert parsing.parse_sms_code(come) == SmsCode("completed", "123456", "Your code is 123456", "")
    assert parsing.parse_sms_code(waiting) == SmsCode("waiting", "", "", "Waiting for code")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-01-01T12:00:00.000Z", datetime(2023, 1, 1, 12, tzinfo=UTC)),
        ("2023-01-01T14:00:00+02:00", datetime(2023, 1, 1, 12, tzinfo=UTC)),
        ("2023-01-01 12:00:00", datetime(2023, 1, 1, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+12:00", None),
        ("soon", None),
        (None, None),
        (1672574400, datetime(2023, 1, 1, 12, tzinfo=UTC)),
        (1672574400000, datetime(2023, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_parse_sms_status_reads_the_expiry_as_an_aware_moment_or_none(text: object, moment: datetime | None) -> None:
    reply = {
        "status": "code_received",
        "phone": "+1",
        "code": "12",
        "charge": "0.5",
        "currency": "USD",
        "expires_at": text,
    }

    status = parsing.parse_sms_status(body(reply))

    assert status.expires_at == moment
    assert (status.status, status.phone, status.code, status.sms_content) == ("code_received", "+1", "12", "")
    assert (status.charge, status.currency, status.raw) == (Decimal("0.5"), "USD", reply)


@pytest.mark.parametrize("nothing", ["null", "None", "N/A", "-", "<nil>"])
def test_names_that_say_nothing_are_none(nothing: str) -> None:
    rows = [{**SERVICE, "name": nothing}, {**SERVICE, "category": nothing}, {**SERVICE, "type": nothing}, SERVICE]

    page = parsing.parse_services(body(rows))

    assert [(row.field, row.problem) for row in page.set_aside] == [("name", "empty"), ("category", "empty")]
    assert [row.type for row in page.services] == ["", page.services[1].type]
    assert parsing.parse_services(body([{**SERVICE, "description": nothing}])).services[0].description == ""
    categories = [{"category": "Instagram", "subcategories": [nothing, "Likes"]}, {"category": nothing}]
    kept = parsing.parse_categories(body({"categories": categories}))
    assert [(row.category, row.subcategories) for row in kept] == [("Instagram", ["Likes"])]
    assert [row.field for row in kept.set_aside] == ["category"]
