"""Asking for long work, and stopping it."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import get_language

from accounts.models import User
from accounts.trail import Action, record
from jobs.kinds import Kind
from jobs.models import StaffJob
from jobs.retention import drop_files
from notifications.wake_worker import wake_worker

State = StaffJob.State
RUN = "jobs.tasks.run_jobs"


def ask_for(
    kind: Kind,
    *,
    title: str,
    by: User,
    now: datetime,
    params: dict[str, Any] | None = None,
    back: str = "",
    file_name: str = "",
) -> StaffJob:
    """Write down a job for the workers and wake one; return it. `title` says what it is, for whoever looks at it later.

    `params` is what the kind wants; `back` the address of the page it was asked for on; `file_name` what a file that
    it makes is called. Raises PermissionDenied where `by` may not.
    """
    if not kind.allows(by, params or {}):
        raise PermissionDenied
    with transaction.atomic():
        job = StaffJob.objects.create(
            kind=kind.name,
            title=title[:200],
            asked_by=by,
            language=get_language() or "",
            params=params or {},
            back=back if len(back) <= 1000 else back.partition("?")[0],
            file_name=file_name,
            created_at=now,
        )
        noted = {"kind": kind.name, "rows": len(job.rows), **kind.noted(job.params)}
        record(Action.ACTED, actor=by, target=job, after=noted, now=now)
        wake_worker(RUN)
    return job


def stop(job: StaffJob, *, by: User, now: datetime) -> bool:
    """Let a job end after the step it is at; return whether it was still at work. What it has done stays done.

    What it has written of a file goes.
    """
    with transaction.atomic():
        unfinished = StaffJob.objects.filter(pk=job.pk, state__in=[State.WAITING, State.RUNNING])
        stopped = bool(unfinished.update(state=State.STOPPED, finished_at=now, claim_token=None, claimed_until=None))
        if stopped:
            record(Action.ACTED, actor=by, target=job, after={"stopped": True}, now=now)
            drop_files(StaffJob.objects.filter(pk=job.pk).exclude(file_name=""))
    return stopped
