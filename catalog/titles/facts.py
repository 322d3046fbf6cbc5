"""What facts are: their values, which of them are columns of a service, and how staff writes them.

`Service.facts` is a JSON object by `Fact`:

    quality         list of QUALITIES, in their order
    country         a code of ISO 3166 in lower case, or one of REGIONS
    speed           [lowest, highest] pieces a day
    pace            "fast" or "slow"
    start           [lowest, highest] minutes until the work begins
    refill_days     0: no refill; LIFETIME_DAYS: as long as the shop lives
    warranty_hours  within which goods are replaced
    drop            [lowest, highest] percent, or "low"
    max, min        pieces
    format          how a line of goods is written: "login:pass:recovery"
    term_months     LIFETIME_MONTHS: for good
    year            "2019" or "2012-2016"
    has             list of INCLUDED, in their order
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.models import Fact
from catalog.titles.countries import code_of

Facts = dict[str, Any]

# A service can have several; each is a bit of `Service.qualities`, so new ones are added at the end.
QUALITIES = ("real", "high", "premium", "mixed", "old", "active", "economy", "organic", "bots", "low")
INCLUDED = (
    "2fa", "phone", "email", "recovery", "cookies", "full_access", "private", "shared", "renewable", "new_key",
    "instant_delivery", "full_warranty",
)  # fmt: skip
PACES = ("fast", "slow")
LIFETIME_DAYS = 36_500
LIFETIME_MONTHS = 1_200
LARGEST = 10**12
LISTS = {Fact.QUALITY: QUALITIES, Fact.INCLUDES: INCLUDED}
RANGES = (Fact.SPEED, Fact.START, Fact.DROP)
NUMBERS = (Fact.REFILL, Fact.WARRANTY, Fact.MOST, Fact.LEAST, Fact.TERM)
LONGEST_FORMAT = 100
_RANGE = re.compile(r"(\d{1,12})(?:\s*[-–]\s*(\d{1,12}))?")
_YEAR = re.compile(r"(?:19|20)\d\d(?:-(?:19|20)\d\d)?")


class FactColumns(NamedTuple):
    """The facts that lists are narrowed by, as columns of a service."""

    qualities: int
    country: str
    covered_days: int | None
    speed_per_day: int | None


def columns_of(facts: Mapping[str, Any]) -> FactColumns:
    """Return what lists are narrowed by: days of refill, else of warranty; the lowest speed that is told."""
    qualities = sum(1 << QUALITIES.index(each) for each in facts.get(Fact.QUALITY, ()) if each in QUALITIES)
    days = facts.get(Fact.REFILL)
    if days is None and (hours := facts.get(Fact.WARRANTY)) is not None:
        days = hours // 24
    low, high = facts.get(Fact.SPEED) or (None, None)
    return FactColumns(qualities, facts.get(Fact.COUNTRY, ""), days, low or high)


def qualities_in(mask: int) -> list[str]:
    """Return the qualities that are bits of `Service.qualities`."""
    return [name for place, name in enumerate(QUALITIES) if mask & (1 << place)]


def add_fact(facts: Facts, key: str, value: Any) -> bool:
    """Add a fact to the others; return whether it fits: a list grows, of everything else there is one value."""
    if key in LISTS:
        found = {*facts.get(key, ()), *value}
        facts[key] = [each for each in LISTS[Fact(key)] if each in found]
        return True
    return bool(facts.setdefault(key, value) == value)


def agrees(facts: Mapping[str, Any], key: str, value: Any) -> bool:
    """Return whether the facts say this already; of ranges the highest counts: "0-1 hour" is "within an hour"."""
    known = facts.get(key)
    if known is None:
        return False
    if key in LISTS:
        return set(value) <= set(known)
    if key in RANGES and "low" not in (known, value):
        return bool(known[1] == value[1])
    return bool(known == value)


def read_value(key: str, text: str) -> Any:
    """Return the value that staff writes for a fact. Raises ValueError for what is none."""
    text = text.strip()
    if key in LISTS:
        chosen = [word.strip() for word in text.split(",") if word.strip()]
        if not chosen or not set(chosen) <= set(LISTS[Fact(key)]):
            raise ValueError(text)
        return [each for each in LISTS[Fact(key)] if each in chosen]
    if key in RANGES:
        return "low" if key == Fact.DROP and text == "low" else _read_range(text)
    if key in NUMBERS:
        return _read_range(text)[0]
    return _read_word(key, text)


def _read_range(text: str) -> list[int]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    low = int(found[1])
    high = int(found[2] or low)
    return sorted((low, high))


def _read_word(key: str, text: str) -> str:
    known = {
        Fact.COUNTRY: lambda: code_of(text, coded=True),
        Fact.PACE: lambda: text if text in PACES else "",
        Fact.FORMAT: lambda: text[:LONGEST_FORMAT],
        Fact.YEAR: lambda: text if _YEAR.fullmatch(text) else "",
    }
    value = known[Fact(key)]()
    if not value:
        raise ValueError(text)
    return value


def write_value(value: Any) -> str:
    """Return a value as staff writes it; the inverse of `read_value`."""
    if isinstance(value, list) and value and isinstance(value[0], int):
        return str(value[0]) if value[0] == value[1] else f"{value[0]}-{value[1]}"
    return ", ".join(value) if isinstance(value, list) else str(value)


def read_lines(text: str) -> Facts:
    """Return the facts that staff wrote, "key: value" in each line, with None for a "-": no such fact.

    Raises ValueError with the line that is wrong.
    """
    found: Facts = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, _colon, value = (part.strip() for part in line.partition(":"))
        try:
            found[Fact(key.lower()).value] = None if value == "-" else read_value(key.lower(), value)
        except (KeyError, ValueError) as error:
            raise ValueError(line) from error
    return found


def write_lines(facts: Mapping[str, Any]) -> str:
    """Return facts as staff writes them; the inverse of `read_lines`."""
    return "\n".join(f"{key}: {'-' if value is None else write_value(value)}" for key, value in facts.items())


def with_override(facts: Mapping[str, Any], override: Mapping[str, Any]) -> Facts:
    """Return the facts as staff corrected them for one service; None takes a fact away."""
    merged = {**facts, **override} if override else {**facts}
    return {key: value for key, value in merged.items() if value is not None}
