"""Moments from outside. What cannot be one is not told; nothing is computed with it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

# Of what this trade can mean: HstockPlus did not exist before, and nothing that is sold lasts until then.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_PARTS_OF_A_SECOND = (1, 1_000, 1_000_000, 1_000_000_000)


def instant(value: Any) -> datetime | None:
    """Return an aware moment in UTC, from ISO 8601 or the seconds, milli-, micro- or nanoseconds since 1970.

    None for what is not a moment of this century: null-like words, zero, text, years beyond all use.
    """
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > 40:
        return None
    if text.isascii() and text.removesuffix(".0").isdigit():
        return _since_1970(int(text.removesuffix(".0")))
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(text)
        return _within(found if found.tzinfo else found.replace(tzinfo=UTC))
    return None


def _since_1970(number: int) -> datetime | None:
    """Read the number in the one unit in which it lies in this century; the ranges of the units do not meet."""
    for parts in _PARTS_OF_A_SECOND:
        if int(EARLIEST.timestamp()) <= number // parts < int(LATEST.timestamp()):
            return datetime.fromtimestamp(number // parts, UTC)
    return None


def _within(moment: datetime) -> datetime | None:
    with suppress(OverflowError):
        moment = moment.astimezone(UTC)
        return moment if EARLIEST <= moment < LATEST else None
    return None


def expiry(told: datetime | None, *, after: datetime, longest: timedelta) -> datetime | None:
    """Return the end that was told of something that began `after`; None where no such thing lasts so long, or less.

    A clock may be wrong, a zone not told, an example copied: what has ended before it began has not ended.
    """
    return told if told is not None and after < told <= after + longest else None
