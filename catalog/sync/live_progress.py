"""How far the sync of services at work has come, for whoever watches it; kept in the cache, and lost with it.

Not in the run's row: what is written is written in one transaction, of which nobody sees anything until its end.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from catalog.models import SyncRun

KEY = "sync_progress"
KEPT_SECONDS = 300
TOLD_EVERY_SECONDS = 0.5
STAGES = ("services", "subcategories", "comparing", "writing")


@dataclass(frozen=True)
class Step:
    """A stage of a sync, one of STAGES, and how much of it is done."""

    stage: str
    done: int
    total: int


class LiveProgress:
    """What `sync_catalog` takes as `progress`: tells the cache of each stage, and of its steps now and then."""

    def __init__(self) -> None:
        self._stage = ""
        self._told_at = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Tell how far a stage has come."""
        now = time.monotonic()
        if stage == self._stage and done < total and now - self._told_at < TOLD_EVERY_SECONDS:
            return
        self._stage, self._told_at = stage, now
        cache.set(KEY, {"stage": stage, "done": done, "total": total, "at": timezone.now()}, timeout=KEPT_SECONDS)


def progress_of(run: SyncRun) -> Step | None:
    """Return how far a run has come; None where nobody knows, or it has ended, or is none of services."""
    if run.kind != SyncRun.Kind.CATALOG or run.status != SyncRun.Status.RUNNING:
        return None
    known: Any = cache.get(KEY)
    if not known or known["at"] < run.started_at or known["stage"] not in STAGES:
        return None  # of the run before
    return Step(known["stage"], known["done"], known["total"])
