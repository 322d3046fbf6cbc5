"""How an HTTP status and a body become a value or an error; the rules differ between reads and purchases.

For a read, a documented error text counts whatever the status. For a purchase the question is whether money may have
been spent: only an error text below HTTP 500 says "no", anything that is neither that nor an order id leaves the
outcome unknown.
Source: HstockPlus API document, "Error responses", which names no HTTP status.
"""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from upstream.errors import UNREADABLE, OutcomeUnknown, Refused, Throttled, Unavailable, plain_text, refusal
from upstream.protocol.fields import ANY, DECODING_ERRORS, Unreadable, decode
from upstream.reading.identifiers import names_no_order
from upstream.reading.text import said

T = TypeVar("T")

_RATE_WORDS = re.compile(
    r"rate.{0,3}limit|limit.{0,20}(exceed|reach)|too (many|frequent)|throttl|slow down", re.IGNORECASE
)


class _Envelope(msgspec.Struct):
    error: msgspec.Raw = msgspec.Raw(b"")
    order: msgspec.Raw = msgspec.Raw(b"")
    orders: msgspec.Raw = msgspec.Raw(b"")


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def read_answer(status: int, body: bytes, parse: Callable[[bytes], T]) -> T:
    """Return what a read was answered.

    Raises Refused for an error text (under HTTP 5xx, for a documented one), Throttled for HTTP 429 or a text about
    limits, Unavailable for everything else.
    """
    if status == 429:
        raise Throttled("HTTP 429", status)
    text, _ = _error_text(body)
    if text and _RATE_WORDS.search(plain_text(text)):
        raise Throttled(text, status)
    if text:
        refused = refusal(text, status)
        # A server that breaks down may say so in JSON too: only a documented text is an answer then.
        raise Unavailable(f"HTTP {status}: {text}", status) if status >= 500 and type(refused) is Refused else refused
    if not 200 <= status < 300:
        raise Unavailable(f"HTTP {status}", status)
    try:
        return parse(body)
    except Unreadable as problem:
        failure = Unavailable(f"HTTP {status}, {UNREADABLE}: {problem}", status)
        failure.unreadable = True
    raise failure


def purchase_answer(status: int, body: bytes, parse: Callable[[bytes], T]) -> T:
    """Return what a purchase was answered.

    Raises Refused only for an error text below HTTP 500 that comes without an order; Throttled for HTTP 429;
    OutcomeUnknown for everything that is neither that nor a value.
    """
    if status == 429:
        raise Throttled("HTTP 429", status)
    text, names_order = _error_text(body)
    reason = f": {text}" if text else ""
    if not (200 <= status < 300 or 400 <= status < 500):
        raise OutcomeUnknown(f"HTTP {status}{reason}", status)
    if text and names_order:
        raise OutcomeUnknown(f"HTTP {status}, an order beside an error text{reason}", status)
    if text:
        raise refusal(text, status)
    if status >= 400:
        raise OutcomeUnknown(f"HTTP {status} without an error text", status)
    try:
        return parse(body)
    except Unreadable as problem:
        message = f"HTTP {status}, {UNREADABLE}: {problem}"
    raise OutcomeUnknown(message, status)


def _error_text(body: bytes) -> tuple[str, bool]:
    """Return the text of `{"error": text}`, or "", and whether the same body also names an order."""
    try:
        envelope = decode(_ENVELOPE, body)
        error, order, orders = (
            decode(ANY, raw) if bytes(raw) else None for raw in (envelope.error, envelope.order, envelope.orders)
        )
    except DECODING_ERRORS:
        return "", False
    return said(error) if isinstance(error, str) else "", not (names_no_order(order) and names_no_order(orders))
