"""When each job that beat asks for seldom last ran, and how it ended: cleaning up, the audit, backups, daily reports.

What runs every few seconds is counted by the processes and missed at once; what runs daily could fail for weeks unseen.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from storefront.models import ScheduledJob

log = structlog.get_logger(__name__)
SELDOM_SECONDS = 300  # from this interval on a job has a row
ROUNDS_MISSED = 3


@dataclass(frozen=True)
class LastRun:
    """How a job stands: seconds since it last succeeded, or since it is known where it never did."""

    name: str
    age_seconds: float
    every_seconds: float
    ran: bool
    failed: bool
    figures: dict[str, Any]

    @property
    def is_late(self) -> bool:
        return self.age_seconds > ROUNDS_MISSED * self.every_seconds


def know_jobs() -> None:
    """Write a row for each such job, so that one which never runs is missed, too. Raises nothing."""
    with suppress(DatabaseError, InterfaceError):
        ScheduledJob.objects.bulk_create([ScheduledJob(name=name) for name in _seldom()], ignore_conflicts=True)


def note_end(task: str, *, succeeded: bool) -> None:
    """Note that a task ended, if it is such a job. Raises nothing: the job is done either way."""
    name = _names().get(task)
    if name is None:
        return
    now = timezone.now()
    ended = {"ended_at": now, "failed": not succeeded} | ({"succeeded_at": now} if succeeded else {})
    try:
        ScheduledJob.objects.update_or_create(name=name, defaults=ended)
    except (DatabaseError, InterfaceError) as error:
        log.warning("end_of_job_not_noted", job=name, error=type(error).__name__)


def note_figures(name: str, **figures: Any) -> None:
    """Keep what a job found out, for /metrics and `doctor`."""
    ScheduledJob.objects.update_or_create(name=name, defaults={"figures": figures})


def last_runs(now: datetime) -> Iterator[LastRun]:
    """Yield how each job of the schedule stands, in its order; one statement. One without a row is not known yet."""
    rows = {row.name: row for row in ScheduledJob.objects.all()}
    for name, every in _seldom().items():
        if row := rows.get(name):
            since = row.succeeded_at or row.known_since
            age = max((now - since) / timedelta(seconds=1), 0.0)
            yield LastRun(name, age, every, row.succeeded_at is not None, row.failed, row.figures)


def _seldom() -> dict[str, float]:
    schedule = {name: entry["schedule"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    return {name: every for name, every in schedule.items() if every >= SELDOM_SECONDS}


@cache
def _names() -> dict[str, str]:
    return {settings.CELERY_BEAT_SCHEDULE[name]["task"]: name for name in _seldom()}
