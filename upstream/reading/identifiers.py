"""Ids of orders as upstream gives them."""

import re
from typing import Any

MAX_LENGTH = 64
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_NONE = ("null", "none", "undefined", "nan", "false", "true")


def order_id(value: Any) -> str | None:
    """Return the id of an order as text, from a number or text; None for what is none: 0, "0", "", null, a list."""
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and value >= 10**64):
        return None
    text = str(value).strip()
    if len(text) > MAX_LENGTH or not _ID.fullmatch(text) or not text.strip("0") or text.lower() in _NONE:
        return None
    return text
