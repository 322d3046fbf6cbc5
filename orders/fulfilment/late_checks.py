"""How many questions about finished orders may be asked: a share of all calls, which orders under way never wait for.

Upstream may change its mind about a finished order, so it is looked at again, ever more seldom. After an outage, or a
day with very many orders, more of these looks are due than there are calls for: those that find no room wait, the
longest overdue first. A look that comes late takes the place of the next one, so the crowd shrinks by itself.
"""

import threading
from datetime import datetime, timedelta

from django.conf import settings

FIRST_LOOK = timedelta(hours=12)
BURST_SECONDS = 60.0  # of what may be asked, saved up by a process that had nothing to ask


def next_look(finished_at: datetime, now: datetime) -> datetime | None:
    """Return when to ask again about an order that has finished; None: its days are over.

    Each pause is as long as all before it, the first one half a day. The last look is at the end of the days.
    """
    ends_at = finished_at + timedelta(days=settings.LATE_CHANGE_DAYS)
    if now >= ends_at:
        return None
    return min(now + max(FIRST_LOOK, now - finished_at), max(ends_at, now + timedelta(hours=1)))


class Allowance:
    """What one process may still ask about finished orders: it fills with time, and each question takes from it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0.0
        self._counted_at: datetime | None = None

    def refill(self) -> None:
        """Begin anew, as a process that has just started."""
        with self._lock:
            self._left, self._counted_at = 0.0, None

    def take(self, wanted: int, *, now: datetime) -> int:
        """Return how many of the wanted questions may be asked now; they count as asked."""
        a_second = settings.UPSTREAM_MAX_PER_SECOND * float(settings.LATE_CHECK_SHARE)
        most = max(a_second * BURST_SECONDS, 1.0)
        with self._lock:
            passed = BURST_SECONDS if self._counted_at is None else (now - self._counted_at).total_seconds()
            # A clock that was set back must not keep anybody waiting for the old time to come again; a moment earlier
            # is another thread, which read the clock before this one was told.
            set_back = passed < -BURST_SECONDS
            self._left = most if set_back else min(self._left + max(passed, 0.0) * a_second, most)
            self._counted_at = now if set_back or self._counted_at is None else max(now, self._counted_at)
            granted = min(wanted, int(self._left))
            self._left -= granted
            return granted

    def give_back(self, unused: int) -> None:
        """Return what was granted and not asked."""
        with self._lock:
            self._left += unused


allowance = Allowance()


def room_in_batch(poll_batch: int) -> int:
    """Return how many of a batch may be about finished orders: so long may an order that falls due meanwhile wait."""
    return max(1, int(poll_batch * settings.LATE_CHECK_SHARE))
