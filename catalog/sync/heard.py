"""How far a sync is at this moment, for a page that is looked at meanwhile: in the cache, and of no weight.

The counts of a run stand in its row once it has ended; what is on the way is told here.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from catalog.sync.fetch import Progress

KEPT_SECONDS = 120  # longer than any step takes: of a run that died nothing is told for long
TOLD_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Heard:
    """A stage, as `sync_catalog` names them, with the steps that are done and all there are."""

    stage: str
    done: int
    total: int

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total > 0 else 0


def tell_of_progress(kind: str) -> Progress:
    """Return a `progress` for a sync of this kind (SyncRun.Kind) that tells `heard_of`, twice a second at most."""
    told: dict[str, Any] = {"at": 0.0, "stage": ""}

    def tell(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage == told["stage"] and done < total and now - told["at"] < TOLD_EVERY_SECONDS:
            return
        told.update(at=now, stage=stage)
        cache.set(_key(kind), (stage, done, total), timeout=KEPT_SECONDS)

    return tell


def heard_of(kind: str) -> Heard | None:
    """Return how far the sync of this kind is that is running; None where nothing is known."""
    found = cache.get(_key(kind))
    return None if found is None else Heard(*found)


def _key(kind: str) -> str:
    return f"sync-progress:{kind}"
