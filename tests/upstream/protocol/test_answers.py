"""A status and a body in, a value or one of the upstream errors out; nothing else, whatever the body."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.errors import (
    InsufficientUpstreamBalance,
    InvalidAction,
    InvalidApiKey,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    ServiceIdRequired,
    ServiceNotFound,
    Throttled,
    Unavailable,
    UpstreamError,
    refusal,
)
from upstream.protocol import parsing
from upstream.protocol.answers import purchase_answer, read_answer
from upstream.protocol.wire import PlacedOrder


def body(value: object) -> bytes:
    return msgspec.json.encode(value)


# --- Errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Invalid API key", InvalidApiKey),
        ("Invalid action", InvalidAction),
        ("Service ID is required", ServiceIdRequired),
        ("Insufficient balance", InsufficientUpstreamBalance),
        ("Order not found", OrderNotFound),
        ("Service not found", ServiceNotFound),
        (" service NOT found. ", ServiceNotFound),
        ("Service not found in this country", Refused),
        ("Not enough funds", Refused),
    ],
)
def test_refusal_when_the_whole_text_matches_is_the_documented_class(text: str, kind: type[Refused]) -> None:
    error = refusal(text, 400)

    assert (type(error), error.text, error.http_status) == (kind, text, 400)


@pytest.mark.parametrize(
    ("status", "reply", "kind"),
    [
        (200, '{"error": "Order not found"}', OrderNotFound),
        (500, '{"error": "Order not found"}', OrderNotFound),
        (500, '{"error": "Internal server error"}', Unavailable),
        (400, '{"error": "Country is wrong"}', Refused),
        (200, '{"error": "API rate limit reached"}', Throttled),
        (400, '{"error": "Too many requests"}', Throttled),
        (429, '{"balance": "1"}', Throttled),
        (500, '{"balance": "1"}', Unavailable),
        (404, '{"balance": "1"}', Unavailable),
        (302, '{"balance": "1"}', Unavailable),
        (200, "<html>", Unavailable),
        (200, "", Unavailable),
        (200, "{}", Unavailable),
        (200, '{"balance": null}', Unavailable),
        (200, '{"balance": "NaN"}', Unavailable),
        (200, '{"balance": "1e400"}', Unavailable),
        (200, '{"error": {"code": 5}}', Unavailable),
    ],
)
def test_read_answer_when_there_is_no_value_raises(status: int, reply: str, kind: type[UpstreamError]) -> None:
    with pytest.raises(UpstreamError) as caught:
        read_answer(status, reply.encode(), parsing.parse_balance)

    assert (type(caught.value), caught.value.http_status) == (kind, status)


@pytest.mark.parametrize(
    ("status", "reply", "kind"),
    [
        (200, '{"error": "Insufficient balance"}', InsufficientUpstreamBalance),
        (402, '{"error": "Insufficient balance"}', InsufficientUpstreamBalance),
        (200, '{"error": "Insufficient balance", "order": null}', InsufficientUpstreamBalance),
        (200, '{"error": "API rate limit reached"}', Refused),
        (500, '{"error": "Insufficient balance"}', OutcomeUnknown),
        (200, '{"error": "Insufficient balance", "order": 5}', OutcomeUnknown),
        (200, '{"error": {"text": "Insufficient balance"}}', OutcomeUnknown),
        (302, '{"error": "Insufficient balance"}', OutcomeUnknown),
        (404, '{"order": 5}', OutcomeUnknown),
        (500, '{"order": 5}', OutcomeUnknown),
        (429, "", Throttled),
        (200, '{"order": 0}', OutcomeUnknown),
        (200, '{"order": ""}', OutcomeUnknown),
        (200, '{"order": true}', OutcomeUnknown),
        (200, '{"order": -5}', OutcomeUnknown),
        (200, '{"order": 5.5}', OutcomeUnknown),
        (200, '{"order": [5]}', OutcomeUnknown),
        (200, '{"order": "' + "9" * 65 + '"}', OutcomeUnknown),
        (200, "[]", OutcomeUnknown),
        (200, '{"order": 5', OutcomeUnknown),
    ],
)
def test_purchase_answer_when_there_is_no_order_raises(status: int, reply: str, kind: type[UpstreamError]) -> None:
    with pytest.raises(UpstreamError) as caught:
        purchase_answer(status, reply.encode(), parsing.parse_placed_order)

    assert (type(caught.value), caught.value.http_status) == (kind, status)


@pytest.mark.parametrize(
    ("reply", "order_id"),
    [
        ('{"order": 23501}', "23501"),
        ('{"order": " 23501 "}', "23501"),
        ('{"order": 99999999999999999999, "charge": 1, "new": {}}', "99999999999999999999"),
        ('{"order": "65f0c0ffee", "error": null}', "65f0c0ffee"),
    ],
)
def test_purchase_answer_when_there_is_an_id_is_the_order(reply: str, order_id: str) -> None:
    assert purchase_answer(200, reply.encode(), parsing.parse_placed_order) == PlacedOrder(order_id)


# --- Anything at all --------------------------------------------------------------------------------------------------
NAMES = [
    "order",
    "orders",
    "error",
    "status",
    "balance",
    "services",
    "service",
    "rate",
    "min",
    "max",
    "name",
    "category",
]
NAMES += ["categories", "subcategories", "charge", "remains", "accounts", "expires_at", "stock", "price", "project_id"]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["1e999999999", "NaN", "-1"])
)
JSON = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
SHAPES = st.builds(dict, services=st.lists(JSON, max_size=3)) | st.builds(dict, orders=st.lists(JSON, max_size=3))
READS = [
    parsing.parse_categories,
    parsing.parse_services,
    lambda reply: parsing.parse_inventory(reply, service_id=1),
    parsing.parse_order_status,
    parsing.parse_balance,
    parsing.parse_sms_projects,
    parsing.parse_sms_countries,
    parsing.parse_sms_code,
    parsing.parse_sms_status,
]


def try_everything(status: int, reply: bytes) -> None:
    for parse in READS:
        with suppress(UpstreamError):
            read_answer(status, reply, parse)
    for parse in (parsing.parse_placed_order, parsing.parse_sms_numbers):
        with suppress(UpstreamError):
            purchase_answer(status, reply, parse)


@given(st.sampled_from([200, 302, 400, 429, 500]), JSON | SHAPES)
def test_answers_when_given_any_json_raise_nothing_but_upstream_errors(status: int, value: object) -> None:
    try_everything(status, body(value))


@given(st.binary(max_size=80))
def test_answers_when_given_any_bytes_raise_nothing_but_upstream_errors(reply: bytes) -> None:
    try_everything(200, reply)
    try_everything(200, b'{"order": ' + reply + b"}")


@pytest.mark.parametrize(
    "hostile",
    [b"9" * 5000, b"1e" + b"9" * 30, b'"' + b"9" * 5000 + b'"', b"[" * 50_000, b'"\\ud800"', b"0." + b"1" * 5000],
)
def test_answers_when_a_value_is_hostile_raise_nothing_but_upstream_errors(hostile: bytes) -> None:
    for name in NAMES:
        try_everything(200, b'{"status": "x", "%s": %s}' % (name.encode(), hostile))
        try_everything(200, b'{"services": [{"service": 1, "%s": %s}]}' % (name.encode(), hostile))
        try_everything(200, b'[{"%s": %s}]' % (name.encode(), hostile))
