"""A worker whose clock is wrong sends nothing: windows of lost attempts compare the times of different workers.

An attempt that was sent at a quarter past by a clock that says "on the hour" would have its window closed by orders
that were sent before it, and what upstream really has would be proved absent.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from orders.lifecycle.clock import Clock
from orders.notices.admin_notices import tell_of_wrong_clock

log = structlog.get_logger(__name__)
MEASURE_EVERY_SECONDS = 60.0
_measured: dict[str, float] = {}


def clock_is_right(clock: Clock = timezone.now) -> bool:
    """Whether this machine's clock is near the database's; looked at once a minute in each process.

    With SQLite there is one machine, and so one clock.
    """
    if connection.vendor != "postgresql":
        return True
    at = _measured.get("at")
    if at is None or time.monotonic() - at > MEASURE_EVERY_SECONDS:
        _measured.update(at=time.monotonic(), seconds=skew_of(clock).total_seconds())
        if not _is_near():
            log.error("clock_is_wrong", off_seconds=_measured["seconds"], allowed=settings.MAX_CLOCK_SKEW_SECONDS)
            tell_of_wrong_clock(_measured["seconds"], now=timezone.now())
    return _is_near()


def _is_near() -> bool:
    return abs(_measured["seconds"]) <= settings.MAX_CLOCK_SKEW_SECONDS


def skew_of(clock: Clock = timezone.now) -> timedelta:
    """Return by how much a clock is ahead of the database's."""
    with connection.cursor() as cursor:
        before = clock()
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
        after = clock()
    return before + (after - before) / 2 - theirs


def forget_measurement() -> None:
    """Measure again at the next question."""
    _measured.clear()
