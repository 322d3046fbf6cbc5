"""The record of every sync, of services and of SMS numbers alike: one at a time of a kind, and how each one ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from catalog.models import SyncRun
from catalog.sync.listeners import tell_of_run
from catalog.sync.run_lock import holder_is_gone, lock_holder_here

# Where nothing proves that a run's process is dead: no run lasts that long, the worker's own time limit is the same.
STALE_AFTER = timedelta(minutes=30)
MAX_SET_ASIDE_STORED = 1000


class SyncAlreadyRunning(Exception):
    """Another sync of the same kind is at work; nothing was started."""


class SyncTakenOver(Exception):
    """This run took so long that it was given up as dead; it must not write any more."""


class SyncRejected(Exception):
    """The answer is not whole, nothing of it was applied. The text is for the admin."""


@dataclass
class RunningSync:
    """A sync at work: its row, the counts so far, and its clock."""

    row: SyncRun
    counts: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=monotonic)

    def clock(self) -> datetime:
        """Return what time it is for this run: when it was told it started, plus what has passed since."""
        return self.row.started_at + timedelta(seconds=monotonic() - self.began)


def open_run(kind: str, *, now: datetime) -> RunningSync:
    """Start the record of a run; a row left running by a dead process is marked failed first.

    The row is the lock: a constraint allows one that is running. Raises SyncAlreadyRunning.
    """
    fail_orphaned_runs(kind, now)
    try:
        with transaction.atomic():
            return RunningSync(SyncRun.objects.create(kind=kind, started_at=now, lock_holder=lock_holder_here()))
    except IntegrityError as error:
        raise SyncAlreadyRunning(f"A sync of this kind ({kind}) is already running.") from error


def fail_orphaned_runs(kind: str, now: datetime) -> None:
    running = SyncRun.objects.filter(kind=kind, status=SyncRun.Status.RUNNING)
    for pk, started_at, lock_holder in running.values_list("pk", "started_at", "lock_holder"):
        if started_at < now - STALE_AFTER or holder_is_gone(lock_holder):
            running.filter(pk=pk).update(
                status=SyncRun.Status.FAILED, finished_at=now, error="Its process ended without a word."
            )


def claim_run(run_id: int, *, came_from: str, now: datetime) -> bool:
    """Set a run that has ended running again; return whether it still had the status it came from.

    Raises SyncAlreadyRunning when another one of its kind is at work.
    """
    claimed = SyncRun.objects.filter(pk=run_id, status=came_from)
    for kind in claimed.values_list("kind", flat=True):
        fail_orphaned_runs(kind, now)
    try:
        with transaction.atomic():
            return bool(claimed.update(status=SyncRun.Status.RUNNING, lock_holder=lock_holder_here()))
    except IntegrityError as error:
        raise SyncAlreadyRunning("A sync is running: wait until it has ended.") from error


def keep_counts(run: RunningSync, **fields: Any) -> None:
    """Write the counts so far, and other columns, into the row of a run that goes on, with what they are of.

    Raises SyncTakenOver when the run was given up in the meantime, so that the transaction is rolled back.
    """
    if not SyncRun.objects.filter(pk=run.row.pk, status=SyncRun.Status.RUNNING).update(**run.counts, **fields):
        raise _taken_over(run)


def close_run(run: RunningSync, status: str, *, error: str = "") -> None:
    """Record how the run ended, with its counts; called inside the transaction that applies the difference.

    Raises SyncTakenOver when the run was given up in the meantime, so that the transaction is rolled back.
    """
    set_aside = run.counts.get("set_aside", [])[:MAX_SET_ASIDE_STORED]
    fields = {**run.counts, "set_aside": set_aside, "error": error, "finished_at": run.clock()}
    still_ours = SyncRun.objects.filter(pk=run.row.pk, status=SyncRun.Status.RUNNING)
    if not still_ours.update(status=status, **fields):
        raise _taken_over(run)
    run.row.refresh_from_db()
    tell_of_run(run.row)


def _taken_over(run: RunningSync) -> SyncTakenOver:
    return SyncTakenOver(f"The run that started at {run.row.started_at:%H:%M:%S} was given up before it ended.")


@contextmanager
def recorded_run(kind: str, *, now: datetime) -> Iterator[RunningSync]:
    """Open a run, and close it as rejected or failed when the block does not get to its end.

    The block itself closes a run that succeeds. SyncRejected ends here; every other exception is recorded and
    goes on to the caller. Raises SyncAlreadyRunning.
    """
    run = open_run(kind, now=now)
    try:
        yield run
    except SyncTakenOver:
        raise
    except SyncRejected as rejection:
        close_run(run, SyncRun.Status.REJECTED, error=str(rejection))
    except BaseException as error:  # a Ctrl-C or a worker's time limit leaves no row "running" behind either
        close_run(run, SyncRun.Status.FAILED, error=str(error) or type(error).__name__)
        raise


def reject_mass_vanishing(*, on_sale: int, missing: int) -> None:
    """Raise SyncRejected when a larger share of what is on sale is missing than SYNC_MAX_VANISHED_PERCENT."""
    limit = settings.SYNC_MAX_VANISHED_PERCENT
    if missing * 100 > on_sale * limit:
        raise SyncRejected(
            f"{missing} of {on_sale} on sale are missing from the answer, more than {limit}%. If that is true, "
            "run the sync once with a higher SYNC_MAX_VANISHED_PERCENT."
        )


def reject_many_set_aside(*, total: int, set_aside: int) -> None:
    """Raise SyncRejected when a larger share of the rows is unusable than SYNC_MAX_SET_ASIDE_PERCENT."""
    limit = settings.SYNC_MAX_SET_ASIDE_PERCENT
    if set_aside * 100 > total * limit:
        raise SyncRejected(f"{set_aside} of {total} rows cannot be used, more than {limit}%.")
