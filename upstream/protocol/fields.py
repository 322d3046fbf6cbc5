"""How a body and the fields of its rows are taken apart; what they mean is `upstream.reading`'s."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from upstream.protocol.wire import Rows, SetAside
from upstream.reading.bodies import mended, without_mark
from upstream.reading.text import line, shortened

T = TypeVar("T")
Row = TypeVar("Row")

LONGEST_SHOWN = 64  # of an id that names a row which could not be read


class Unreadable(ValueError):
    """A body does not hold what the document promises; the text says what is missing, never what was there."""

    def __init__(self, problem: str, field: str = "") -> None:
        super().__init__(f"`{field}` {problem}" if field else problem)
        self.problem, self.field = problem, field


# Untyped numbers with a fraction stay the text that was on the wire, so that no amount passes through a float.
ANY = msgspec.json.Decoder(float_hook=str)
# ValueError: bytes that are not UTF-8, and numbers of thousands of digits.
DECODING_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError)


def as_sent(value: Any) -> str:
    """Return text as it was sent but for NUL (PostgreSQL cannot hold it), a whole number's digits, "" for the rest."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**64:
        return str(value)
    return ""


def word(value: Any) -> str:
    """Return a short text of one line, such as a status; "" for what is no text."""
    return line(as_sent(value))


def flag(value: Any) -> bool:
    """Return what a yes or no means, however it is written; everything else is a no."""
    return word(value).lower() in ("1", "true", "yes") if not isinstance(value, bool) else value


def decode(decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw) -> T:
    """Decode a body, or a part of one; where a character in it is broken, without that. Raises DECODING_ERRORS."""
    text = without_mark(bytes(body))
    try:
        return decoder.decode(text)
    except DECODING_ERRORS:
        if (fixed := mended(text)) is None:
            raise
    return decoder.decode(fixed)


def decoded(body: bytes | msgspec.Raw) -> Any:
    """Return the JSON value. Raises Unreadable."""
    try:
        return decode(ANY, body)
    except DECODING_ERRORS:
        pass
    raise Unreadable("not JSON")


def fields_of(body: bytes | msgspec.Raw) -> dict[str, Any]:
    """Return the JSON object. Raises Unreadable."""
    value = decoded(body)
    if not isinstance(value, dict):
        raise Unreadable("not an object")
    return value


def required(value: T | None, field: str) -> T:
    """Return the value. Raises Unreadable for None and ""."""
    if value is None or value == "":
        raise Unreadable("is missing or not readable", field)
    return value


def fitting(text: str, longest: int, field: str) -> str:
    """Return the text. Raises Unreadable where it is longer than what it goes to."""
    if len(text) > longest:
        raise Unreadable(f"is longer than {longest} characters", field)
    return text


def rows(values: Any, read: Callable[[dict[str, Any]], Row], what: str, named_by: str) -> Rows[Row]:
    """Read each row; one that cannot be read is set aside and named. Raises Unreadable where none of several can be."""
    if not isinstance(values, list):
        raise Unreadable(f"no list of {what}")
    found: Rows[Row] = Rows()
    for place, value in enumerate(values, start=1):
        try:
            found.append(read(value if isinstance(value, dict) else {}))
        except Unreadable as fault:
            name = word(value.get(named_by)) if isinstance(value, dict) else ""
            name = shortened(name, LONGEST_SHOWN) or f"row {place}"
            found.set_aside.append(SetAside(name, fault.field, fault.problem))
    if values and not found:
        raise Unreadable(f"none of {len(values)} {what} is readable")
    return found


def without_nul(value: Any) -> Any:
    """Return the same JSON without NUL characters, which PostgreSQL refuses in text and JSON alike."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(item) for name, item in value.items()}
    return value
