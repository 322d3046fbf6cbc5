"""Moments inside a stored text: kept in UTC to the minute, and written in the reader's language and zone when shown.

A text is written once and read in a mail, by a customer in one zone and by staff in another.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from accounts.moments import write_moment
from accounts.templatetags.moments import moment

_WRITTEN = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b")
_FORMAT = "%Y-%m-%d %H:%M UTC"
STEP = timedelta(minutes=5)


def keep_moment(at: datetime) -> str:
    """Return a moment as texts keep it: "2026-11-30 15:05 UTC"."""
    return at.astimezone(UTC).strftime(_FORMAT)


def round_up(at: datetime) -> datetime:
    """Return the next full five minutes, or the moment itself: what a customer is told is never too early."""
    over = timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)
    return at if not over else at + (STEP - over)


def in_words(text: str) -> str:
    """Return the text with its moments as `write_moment` has them, for mails."""
    return _each(text, write_moment)


def in_html(text: str) -> SafeString:
    """Return the text escaped, with its moments as the page's other ones, which the browser puts into its own zone.

    Lines are broken before: a moment is HTML of several lines.
    """
    return mark_safe(_each(str(conditional_escape(text)), lambda at: str(moment(at, "exact"))))  # noqa: S308 - escaped


def _each(text: str, write: Callable[[datetime], str]) -> str:
    def written(found: re.Match[str]) -> str:
        try:
            return write(datetime.strptime(found[0], _FORMAT).replace(tzinfo=UTC))
        except (ValueError, OverflowError):  # month 13, or the year 1, of somebody's own words
            return found[0]

    return _WRITTEN.sub(written, text)
