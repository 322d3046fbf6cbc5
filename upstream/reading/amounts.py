"""Numbers from outside: amounts of money and quantities.

Answers are read strictly: a comma may part decimals or thousands, and a guess would be money. What a person types is
read as it is meant where only one meaning is possible. No amount ever passes through a float.
"""

import re
from decimal import Decimal
from typing import Any

from upstream.reading.text import visible

MAX_INTEGER = 2**63 - 1  # what a database column holds
MAX_MONEY = Decimal(10) ** 12  # keeps micros inside 64 bits
_DECIMAL = re.compile(r"[+-]?(\d{1,60}(\.\d{0,60})?|\.\d{1,60})([eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}([ \u00a0\u2009\u202f'’]\d{3})+(?=\D|$)", re.ASCII)
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_MANY_DECIMALS = re.compile(r",\d{3}")  # of pieces nobody types them: somebody means thousands
_TYPED = re.compile(r"[+-]?(\d{1,60}([.,]\d{0,12})?|[.,]\d{1,12})", re.ASCII)
_DOTTED_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)


def amount(value: Any) -> Decimal | None:
    """Return an exact amount from text or a whole number; None for what is not one, or beyond what columns hold."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30 else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text := text.strip()):
        return None
    found = Decimal(text)
    # Compared, not computed with: arithmetic on "1e999" is slow.
    return found if -MAX_MONEY < found < MAX_MONEY else None


def whole(value: Any) -> int | None:
    """Return a whole number that fits a column, from a number or text like "12" or "12.0"; None when it is not one."""
    found = amount(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def typed_amount(text: str) -> Decimal | None:
    """Return what a person typed as an amount: `10.50`, `10,50`, `1 000,00`; None for what could mean two things."""
    if "\0" in text:  # no keyboard has it
        return None
    plain = visible(text).strip().replace("\N{MINUS SIGN}", "-")
    plain = _GROUPED.sub(lambda found: re.sub(r"\D", "", found[0]), plain)
    # "1,000" is a thousand to one reader and one to another.
    if not _TYPED.fullmatch(plain) or _AMBIGUOUS.fullmatch(plain):
        return None
    return Decimal(plain.replace(",", "."))


def typed_quantity(text: str) -> int | None:
    """Return what a person or a program gave as a number of pieces: `1000`, `1 000`, `1000.0`; None otherwise.

    `1.000` is one to one reader and a thousand to another, and so it is none.
    """
    found = None if _MANY_DECIMALS.search(text) else typed_amount(text)
    if found is None or _DOTTED_THOUSANDS.fullmatch(visible(text).strip()):
        return None
    return int(found) if found == found.to_integral_value() else None
