"""Lines of lists that this process has written, kept until the catalog changes.

Searches find the same services over and over, each time others beside them; a line that has been written needs neither
be read nor be written again. Kept are lines with the prices of visitors, which customers without a group see as well.
"""

from datetime import datetime

from django.conf import settings

from accounts.models import User
from catalog.caching.version import Version
from catalog.caching.versioned_cache import cache_key

MAX_LINES, MAX_READERS = 6000, 4  # lines of a kilobyte, for each language of those signed in or not
Lines = dict[int, str]
_kept: dict[str, tuple[Version, Lines]] = {}


def kept_lines(
    user: User | None, *, version: Version, language: str, names_categories: bool, now: datetime
) -> Lines | None:
    """Return the lines by service's id for readers like this one at a version; None where none are kept.

    The version is that of the categories that the lines name and whose rate units they go by, asked for before any
    service is read whose line is put there. What is new changes by the clock: within the hour.
    """
    if settings.PAGE_CACHE_SECONDS <= 0 or (user is not None and user.group_id is not None):
        return None
    key = cache_key("lines", user is None, language, names_categories, now.strftime("%Y%m%d%H"))
    kept = _kept.get(key)
    if kept is None or kept[0] != version:
        _kept.pop(key, None)
        for oldest in list(_kept)[: 1 - MAX_READERS]:
            _kept.pop(oldest, None)
        kept = _kept[key] = version, {}
    return kept[1]


def keep(lines: Lines, pk: int, line: str) -> None:
    """Keep a line, if there is room."""
    if len(lines) < MAX_LINES:
        lines[pk] = line
