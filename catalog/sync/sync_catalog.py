"""A sync of the whole catalog, and what staff decides about one that was held back."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.models import User
from catalog.models import SyncRun
from catalog.sync import quarantine, tables
from catalog.sync.apply import apply_answer
from catalog.sync.fetch import Placement, Progress, pairs_of, read_catalog, read_subcategories
from catalog.sync.gc_paused import gc_paused
from catalog.sync.plausibility import doubts_about, summary
from catalog.sync.runs import (
    close_run,
    recorded_run,
)
from catalog.sync.scan import scan_catalog
from catalog.sync.spellings import tidy_categories
from upstream.client import Client

NOT_WHOLE = (SyncRun.Status.RUNNING, SyncRun.Status.REJECTED, SyncRun.Status.FAILED)


def sync_catalog(*, client: Client, now: datetime, in_full: bool = False, progress: Progress | None = None) -> SyncRun:
    """Bring the local catalog to what upstream offers and return the record of the run.

    Everything is fetched and checked before anything is written; the difference is applied in one transaction.
    An answer that is not whole leaves the catalog as it is and a run with the status rejected; one that is whole but
    implausible is kept as quarantined until an admin decides (`accept_quarantined`, `drop_quarantined`).
    Subcategories are asked where something is new; `in_full` asks for every one, as does a sync that finds that no
    sync has done so for twice SYNC_FULL_EVERY_SECONDS.
    `progress(stage, done, total)` hears of every step; stages: services, subcategories, comparing, writing.
    Raises SyncAlreadyRunning, UpstreamError (WrongCurrency is one); the run is recorded as failed then.
    """
    progress = progress or (lambda _stage, _done, _total: None)
    with recorded_run(SyncRun.Kind.CATALOG, now=now) as run:
        in_full = in_full or _full_pass_is_overdue(now)
        before = client.usage
        tidy_categories()
        names = tables.names()
        book = names.book()
        try:
            answer = read_catalog(client, book, progress)
            set_aside = answer.set_aside_besides + answer.set_aside
            run.counts |= {"total": answer.total, "set_aside": set_aside, "read_in_full": in_full}
            with gc_paused():
                found = scan_catalog(answer, tables.stored_services(), names=names)
            asked = set(answer.subcategories) if in_full else found.ask
            pairs = pairs_of(sorted(asked), answer.subcategories)
            placement = Placement(asked, read_subcategories(client, answer, pairs, book, progress))
        finally:
            spent = client.usage
            run.counts |= {"requests": spent.requests - before.requests, "bytes": spent.bytes - before.bytes}
        if doubts := doubts_about(answer, found):
            examples = summary(answer, found, names=names)
            quarantine.hold_back(run, answer, placement, doubts=doubts, examples=examples)
            return run.row
        with transaction.atomic(), gc_paused():
            counts = apply_answer(run.row, answer, found, placement, now=now, progress=progress)
            status = counts.pop("status")
            run.counts |= counts
            quarantine.drop_waiting(SyncRun.Kind.CATALOG, now=now)
            close_run(run, status)
    return run.row


def accept_quarantined(run_id: int, *, actor: User, now: datetime) -> SyncRun:
    """Apply the answer of a quarantined run, exactly as it was looked at, in one transaction; return the run.

    Raises NotWaiting (decided already, or a later sync was applied) and SyncAlreadyRunning; nothing is changed then.
    """
    return quarantine.accept(run_id, actor=actor, now=now)


def drop_quarantined(run_id: int, *, actor: User, now: datetime) -> None:
    """Decide that the answer of a quarantined run is not applied. Raises NotWaiting."""
    quarantine.drop(run_id, actor=actor, now=now)


def _full_pass_is_overdue(now: datetime) -> bool:
    """Whether no full pass brought a whole answer for two of its rounds: beat sends it, and beat may have been away."""
    since = now - timedelta(seconds=2 * settings.SYNC_FULL_EVERY_SECONDS)
    whole = [status for status in SyncRun.Status if status not in NOT_WHOLE]
    done = SyncRun.objects.filter(kind=SyncRun.Kind.CATALOG, status__in=whole, read_in_full=True, started_at__gt=since)
    return not done.exists()
