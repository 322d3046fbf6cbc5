"""Incidents and announcements that matter now, as every process knows them within a second or two, mostly unasked.

Every page asks for them. A process remembers them for a second and asks the cache then; where that has lost them, one
process reads the two short lists from the database. Whoever changes one tells the others once that is committed.
While neither answers, what was known last holds.
"""

import time
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from support.models import Announcement, Incident

log = structlog.get_logger(__name__)
KEY = "support_shown_now"
PROCESS_SECONDS, CACHE_SECONDS = 1.0, 15
MOST = 20  # of each; a page shows one or two of them


@dataclass(frozen=True)
class Telling:
    """Every announcement that has not ended and every incident that is not over, begun or ahead."""

    announcements: tuple[Announcement, ...] = ()
    incidents: tuple[Incident, ...] = ()


_known: tuple[Telling, float] | None = None  # and until when it may be taken


def telling() -> Telling:
    """Return what matters now; at most a question to the cache and, where that does not know, two short queries."""
    global _known
    known, now = _known, time.monotonic()
    if known is not None and now < known[1]:
        return known[0]
    found: Telling | None = cache.get(KEY)
    if found is None:
        try:
            found = _read(timezone.now())
        except DatabaseError as error:
            log.warning("announcements_not_read", error=str(error))
            found = known[0] if known else Telling()
        else:
            # Not over what somebody has put there meanwhile.
            cache.add(KEY, found, timeout=CACHE_SECONDS)
    _known = found, now + PROCESS_SECONDS
    return found


def forget() -> None:
    """Make this process ask again."""
    global _known
    _known = None


def tell_of_change() -> None:
    """Let every process read anew what has changed, once it is committed."""
    transaction.on_commit(_told)


def _told() -> None:
    forget()
    cache.delete(KEY)


def _read(now: datetime) -> Telling:
    lasting = Announcement.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("-starts_at", "-pk")
    # Planned work ends by itself: what nobody resolved must not push out what lasts.
    going_on = Incident.objects.filter(Q(planned_until=None) | Q(planned_until__gt=now), resolved_at=None)
    return Telling(tuple(lasting[:MOST]), tuple(going_on[:MOST]))
