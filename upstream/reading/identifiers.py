"""Ids of orders, and other names that upstream wants back as it gave them; currencies."""

import re
from typing import Any

from upstream.reading.amounts import amount
from upstream.reading.text import line, means_nothing

MAX_LENGTH = 64
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_NONE = ("null", "none", "undefined", "nan", "false", "true")


def order_id(value: Any) -> str | None:
    """Return the id of an order as text, from a number or text; None for what is none: 0, "0", "", null, a list."""
    text = _written(value)
    if (
        text is None
        or len(text) > MAX_LENGTH
        or not _ID.fullmatch(text)
        or not text.strip("0")
        or text.lower() in _NONE
    ):
        return None
    return text


def _written(value: Any) -> str | None:
    """Return text, or the digits of a whole number, without outer blanks; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and abs(value) >= 10**64):
        return None
    return str(value).strip()


def names_no_order(value: Any) -> bool:
    """Whether the value says that there is no order: null, 0, "0", "", [], or a list of nothing but such.

    Stricter than an unreadable id: what cannot be read may still stand for an order that was paid for.
    """
    if isinstance(value, dict):
        return names_no_order(value.get("order")) if "order" in value else not value
    if isinstance(value, list):
        return all(map(names_no_order, value))
    if value is None or value is False:
        return True
    return value is not True and (means_nothing(str(value)) or amount(value) == 0)


def reference(value: Any, longest: int) -> str | None:
    """Return an id or code to send back as it came, without outer blanks; None where it is no text of one line.

    "" where there is none. Nothing inside is mended: upstream would not know it again, and two whose broken characters
    were mended look like one.
    """
    if value is None or value == "":
        return ""
    text = _written(value)
    if text is None or len(text) > longest or "\N{REPLACEMENT CHARACTER}" in text:
        return None
    return text if line(text) == text else None


_CURRENCY = re.compile(r"[A-Z0-9]{2,10}|\W")


def currency(value: Any) -> str:
    """Return the code or sign of a currency in capitals; "" for what is none, which says nothing."""
    text = line(value).upper() if isinstance(value, str) and len(value) < 100 else ""
    return "" if means_nothing(text) or not _CURRENCY.fullmatch(text) else text
