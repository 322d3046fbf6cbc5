"""Putting a bar away: remembered for the account, in a cookie for visitors. Doing it twice is doing it once."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from accounts.models import User
from support.models import Announcement, AnnouncementDismissal

COOKIE = "dismissed"
COOKIE_AGE = timedelta(days=180)
MOST_IN_COOKIE = 30  # the newest
_NUMBERS = re.compile(r"[1-9][0-9]{0,17}(\.[1-9][0-9]{0,17}){0,29}")


def dismiss(user: User, announcement: Announcement, *, now: datetime) -> None:
    """Remember that this customer has put it away."""
    # One statement, and no error inside a transaction, when it is pressed twice at once.
    row = AnnouncementDismissal(user=user, announcement=announcement, dismissed_at=now)
    AnnouncementDismissal.objects.bulk_create([row], ignore_conflicts=True)


def dismissed_by(user: User, announcements: Collection[Announcement]) -> set[int]:
    """Return which of these this customer has put away; no query where there is none to ask for."""
    if not announcements:
        return set()
    rows = AnnouncementDismissal.objects.filter(user=user, announcement__in=[one.pk for one in announcements])
    return set(rows.values_list("announcement_id", flat=True))


def read_cookie(value: str) -> list[int]:
    """Return what a visitor has put away; nothing of a cookie that we did not write."""
    return [int(number) for number in value.split(".")] if _NUMBERS.fullmatch(value) else []


def write_cookie(ids: Iterable[int]) -> str:
    """Return the cookie, the newest announcements kept where there are too many."""
    return ".".join(str(number) for number in sorted(set(ids))[-MOST_IN_COOKIE:])
