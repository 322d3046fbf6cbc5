"""What comes to a telephone number, and the number itself, as upstream gives them."""

import re
from typing import Any

from upstream.reading.text import line, means_nothing

LONGEST_PHONE = LONGEST_CODE = 40  # what the columns of a number hold
_CODE = re.compile(r"\w+(?:[ ./#:-]\w+)*")
_PARTS = re.compile(r"\W+")
# What stands in the place of a code while there is none.
_NO_CODE = frozenset(
    ("no", "not", "yet", "code", "sms", "waiting", "wait", "pending", "active", "sent", "received", "for", "the", "is")
)


def code(value: Any) -> str:
    """Return the code that came to a number, from text or digits as a number; "" for what does not look like one.

    A code is one to three words of letters and digits, like `123456`, `G-123456`, `123 456` or `X7K2P`, and fits its
    column. Zero, null-like words and "waiting for code" are none; a single zero in four places is one.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = line(str(value)) if not isinstance(value, int) or 0 < value < 10**LONGEST_CODE else ""
    if not 2 <= len(text) <= LONGEST_CODE or means_nothing(text) or not _CODE.fullmatch(text):
        return ""
    words = _PARTS.split(text.casefold())
    return "" if len(words) > 3 or _NO_CODE.issuperset(words) else text


def phone(value: Any) -> str:
    """Return a telephone number as upstream wrote it, from text or a number; "" for what cannot be dialled or kept."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = line(str(value)) if not isinstance(value, int) or 0 < value < 10**LONGEST_PHONE else ""
    return text if len(text) <= LONGEST_PHONE and any(map(str.isdecimal, text)) and text.strip("0") else ""
