"""What comes to a telephone number, and the number itself, as upstream gives them."""

import re
from typing import Any

from upstream.reading.amounts import amount
from upstream.reading.text import line, means_nothing, said

LONGEST_PHONE = LONGEST_CODE = 40  # what the columns of a number hold
_CODE = re.compile(r"\w+(?:[ -]\w+){0,3}")
# Steam and others send letters alone; in lower case those are words.
_CAPITALS = re.compile(r"[A-Z]{1,8}")
_FEWEST_LETTERS = 4
# What stands in the place of a code and is none, alone, before digits ("ERROR 404", "NO_CODE_0") or right before them.
_WORDS = frozenset(
    (
        *("ACTIVE", "AGAIN", "AWAITING", "BAN", "BANNED", "BLOCKED", "BUSY", "CANCEL", "CANCELED", "CANCELLED", "CODE"),
        *("COMPLETED", "CREATED", "DENIED", "DONE", "EMPTY", "ERR", "ERROR", "EXPIRE", "EXPIRED", "FAIL", "FAILED"),
        *("FALSE", "FINISHED", "HTTP", "HTTPS", "INITIAL", "INVALID", "LATER", "MESSAGE", "NAN", "NEW", "NIL", "NO"),
        *("NOCODE", "NOMESSAGE", "NONE", "NONUMBER", "NOSMS", "NOT", "NOTHING", "NULL", "OK", "PENDING", "PLEASE"),
        *("PROGRESS", "QUEUE", "QUEUED", "READY", "RECEIVED", "REFUND", "REFUNDED", "REJECTED", "RETRY", "SENT", "SMS"),
        *("STATUS", "STOP", "STOPPED", "SUCCESS", "TIMEOUT", "TRUE", "TRY", "UNDEFINED", "UNKNOWN", "USED", "WAIT"),
        *("WAITING", "YET"),
    )
)
_BETWEEN_PARTS = re.compile(r"[ _-]+")
_FLOAT = re.compile(r"([0-9]+)\.0+")  # a number in JSON that some program made a float
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def code(value: Any) -> str:
    """Return the code that came to a number, from text or digits as a number; "" for what does not look like one.

    A code holds a digit, or is a few capital letters: `123456`, `G-123456`, `123 456`, `X7K2P`, `ABC-DEF`. It fits its
    column. Zero, null-like words, words that deny a code and sentences are none; a number that was sent with a fraction
    of zero is the number.
    """
    text = _text(value)
    if whole := _FLOAT.fullmatch(text):
        text = "" if not int(whole[1]) else whole[1]
    if not 2 <= len(text) <= LONGEST_CODE or means_nothing(text) or not _CODE.fullmatch(text):
        return ""
    parts = _BETWEEN_PARTS.split(text)
    if any(part.strip("0123456789").upper() in _WORDS for part in parts):
        return ""
    if has_digits(text):
        # Groups have digits; only the first may be a short prefix in capitals.
        return (
            text if all(map(has_digits, parts[1:])) and (has_digits(parts[0]) or _CAPITALS.fullmatch(parts[0])) else ""
        )
    are_letters = all(map(_CAPITALS.fullmatch, parts)) and len("".join(parts)) >= _FEWEST_LETTERS
    return text if are_letters else ""


def has_digits(text: str) -> bool:
    return any(map(str.isdecimal, text))


def message(value: Any, beside: Any) -> str:
    """Return the message that came to a number; where there is none, what stands in the place of the code and is
    longer than one: a sentence with a code in it, a link."""
    text = said(value) if isinstance(value, str) else ""
    if text and not means_nothing(text):
        return text
    other = said(beside) if isinstance(beside, str) else ""
    holds_something = (has_digits(other) and amount(other) != 0) or _ADDRESS.search(other)
    return other if holds_something and len(other) > 1 and not code(beside) else ""


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return line(value) if isinstance(value, str) else str(value) if 0 < value < 10**LONGEST_CODE else ""


def phone(value: Any) -> str:
    """Return a telephone number as upstream wrote it, from text or a number; "" for what cannot be dialled or kept."""
    text = _text(value)
    return text if len(text) <= LONGEST_PHONE and any(map(str.isdecimal, text)) and text.strip("0") else ""
