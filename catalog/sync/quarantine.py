"""Answers that are whole but implausible: kept until an admin accepts or drops them, one at a time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import QuarantinedAnswer, SyncRun
from catalog.sync import tables
from catalog.sync.apply import apply_answer
from catalog.sync.compression import Unpackable, pack, unpack
from catalog.sync.fetch import CatalogAnswer, Placement
from catalog.sync.plausibility import Doubt
from catalog.sync.runs import RunningSync, claim_run, close_run
from catalog.sync.scan import scan_catalog
from notifications.outbox import tell_admins, with_admin_page

Status = SyncRun.Status


class NotWaiting(Exception):
    """This answer cannot be decided about any more. The text is for the admin."""


def hold_back(
    run: RunningSync,
    answer: CatalogAnswer,
    placement: Placement,
    *,
    doubts: list[Doubt],
    examples: dict[str, Any],
) -> None:
    """Close the run as quarantined and keep its answer. One waits at a time: it takes the place of an older one.

    An answer that says the same as the one that waits closes its own run as dropped instead. Admins hear of the first
    of an episode, and again when there is another kind of doubt.
    """
    packed, words = pack(answer, placement), " ".join(doubt.words for doubt in doubts)
    kinds = [doubt.kind for doubt in doubts]
    with transaction.atomic():
        older = waiting(run.row.kind).select_related("answer").first()
        if older is not None and older.difference.get("doubts") == kinds and bytes(older.answer.packed) == packed:
            close_run(
                run, Status.DROPPED, error=_("The same as the previous answer, which is waiting for your decision.")
            )
            return
        run.counts["difference"] = {"doubts": kinds, **examples}
        close_run(run, Status.QUARANTINED, error=words)
        QuarantinedAnswer.objects.create(run=run.row, packed=packed)
        if older is not None:
            _drop([older], _("Replaced by a newer answer."), now=run.clock())
        if older is None or not set(kinds) <= set(older.difference.get("doubts", [])):
            _tell_admins(run.row)


def waiting(kind: str) -> Any:
    """Return the runs of a kind that wait for a decision."""
    return SyncRun.objects.filter(kind=kind, status=Status.QUARANTINED)


def drop_waiting(kind: str, *, now: datetime) -> None:
    """Drop what waits: a later sync could be applied as it was. Part of that sync's transaction."""
    _drop(waiting(kind), _("Dropped automatically: a later sync found the catalog in order."), now=now)


def accept(run_id: int, *, actor: User, now: datetime) -> SyncRun:
    """Apply exactly the answer that was looked at, in one transaction, and return its run.

    Raises NotWaiting when it was decided about, or a later sync applied; SyncAlreadyRunning.
    """
    with transaction.atomic():
        if not claim_run(run_id, came_from=Status.QUARANTINED, now=now):
            raise _not_waiting(run_id)
        run = SyncRun.objects.select_related("answer").get(pk=run_id)
        if _applied_since(run):
            raise _not_waiting(run_id)
        try:
            answer, placement = unpack(bytes(run.answer.packed))
        except Unpackable as error:
            raise NotWaiting(
                _("This answer can no longer be read. Drop it; the next sync fetches it again.")
            ) from error
        found = scan_catalog(answer, tables.stored_services(), names=tables.names())
        counts = apply_answer(run, answer, found, placement, now=now, progress=lambda *_step: None)
        SyncRun.objects.filter(pk=run.pk).update(**{**counts, "status": Status.APPLIED}, **_decided(actor, now))
        run.answer.delete()
    run.refresh_from_db()
    return run


def drop(run_id: int, *, actor: User, now: datetime) -> None:
    """Decide not to apply an answer. Raises NotWaiting."""
    with transaction.atomic():
        if not SyncRun.objects.filter(pk=run_id, status=Status.QUARANTINED).update(
            status=Status.DROPPED, **_decided(actor, now)
        ):
            raise _not_waiting(run_id)
        QuarantinedAnswer.objects.filter(run_id=run_id).delete()


def _drop(runs: Iterable[SyncRun], words: str, *, now: datetime) -> None:
    for run in runs:
        SyncRun.objects.filter(pk=run.pk, status=Status.QUARANTINED).update(
            status=Status.DROPPED, decided_at=now, error=f"{run.error} {words}"
        )
        QuarantinedAnswer.objects.filter(run=run).delete()


def _decided(actor: User, now: datetime) -> dict[str, Any]:
    return {"decided_by": actor, "decided_at": now}


def _applied_since(run: SyncRun) -> bool:
    later = SyncRun.objects.filter(kind=run.kind, pk__gt=run.pk)
    return later.filter(status__in=[Status.APPLIED, Status.UNCHANGED]).exists()


def _not_waiting(run_id: int) -> NotWaiting:
    if _applied_since(SyncRun.objects.get(pk=run_id)):
        return NotWaiting(_("A later sync has been applied, so this answer is out of date. Nothing was changed."))
    return NotWaiting(_("This answer is no longer waiting for a decision. Nothing was changed."))


def _tell_admins(run: SyncRun) -> None:
    """A sync was held back: prices and services stay as they were until somebody has looked."""
    body = _(
        "%(reason)s\n"
        "The catalog was left as it was. See what would change, then accept the answer or drop it. If a "
        "later sync finds everything in order, this one is dropped automatically."
    ) % {"reason": run.error}
    subject = _("A catalog sync is waiting for your decision")
    tell_admins(f"quarantine:{run.pk}", subject, with_admin_page(body, run), run.finished_at)
