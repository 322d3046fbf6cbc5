"""Doing the jobs: each is claimed by one worker, and goes on step by step until it is done or somebody stops it."""

import uuid
import zlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.batches import while_time_is_left
from accounts.models import User
from jobs.kinds import Kind, Step, kind_of
from jobs.models import JobFilePart, StaffJob, StaffJobQuerySet
from jobs.operations import RUN
from notifications.wake_worker import wake_worker

log = structlog.get_logger(__name__)
State = StaffJob.State
Clock = Callable[[], datetime]
CLAIM = timedelta(minutes=3)  # longer than any step takes
MAX_TRIES = 5
MOST_PROBLEMS = 500
NO_RIGHT = gettext_lazy("Whoever asked for it no longer has the right to.")


class ClaimLost(Exception):
    """Somebody has stopped the job, or another worker has it by now; nothing of the step was done."""


def run_jobs(*, clock: Clock, seconds: float | None = None) -> int:
    """Work on the jobs that wait, one after the other; return how many have ended. One that fails stops no other.

    After `seconds` (accounts.batches.RUN_SECONDS if not given) the rest is left to the next run, which is asked for.
    """
    ended = 0
    for _turn, job in zip(
        while_time_is_left(seconds), StaffJob.objects.to_run(clock()).select_related("asked_by"), strict=False
    ):
        if _claim(job, clock()):
            with translation.override(job.language or None):
                ended += _work_on(job, clock, seconds)
    return ended


def _claim(job: StaffJob, now: datetime) -> bool:
    """Take the job; whoever comes second gets nothing."""
    job.asked_by.refresh_from_db()  # who may have been blocked since the jobs were listed
    as_read = StaffJob.objects.filter(pk=job.pk, state=job.state, claim_token=job.claim_token, position=job.position)
    token = uuid.uuid4()
    if not as_read.update(state=State.RUNNING, claim_token=token, claimed_until=now + CLAIM, tries=F("tries") + 1):
        return False
    job.claim_token, job.tries = token, job.tries + 1
    return True


def _work_on(job: StaffJob, clock: Clock, seconds: float | None) -> bool:
    """Return whether the job has ended."""
    try:
        kind = _allowed_kind(job)
        if job.tries > MAX_TRIES:
            raise _CannotGoOn(_("It failed several times at the same place. The log says why."))
        if job.total is None:
            job.total = kind.total(job)
            _mine(job).update(total=job.total)
        for _turn in while_time_is_left(seconds):
            if _take_step(job, kind, clock()):
                return True
        _mine(job).update(state=State.WAITING, claim_token=None, claimed_until=None)
        wake_worker(RUN)
    except ClaimLost:
        log.info("job_claim_lost", job_id=job.pk)
    except _CannotGoOn as why:
        _end(job, State.FAILED, clock(), error=str(why)[:300])
        return True
    except Exception:  # it stays claimed for a while: the sweep tries again then
        log.exception("job_step_failed", job_id=job.pk, tries=job.tries)
    return False


class _CannotGoOn(Exception):
    """The text is for who asked for the job."""


def _allowed_kind(job: StaffJob) -> Kind:
    try:
        kind = kind_of(job)
    except KeyError:
        raise _CannotGoOn(_("This version of the shop doesn't know this kind of job.")) from None
    if not (job.asked_by.is_active and job.asked_by.is_staff and kind.allows(job.asked_by, job.params)):
        raise _CannotGoOn(NO_RIGHT)
    return kind


def _take_step(job: StaffJob, kind: Kind, now: datetime) -> bool:
    """Do a step and note it, or neither; return whether it was the last one. Raises ClaimLost."""
    with transaction.atomic():
        if not User.objects.filter(pk=job.asked_by_id, is_active=True, is_staff=True).exists():
            raise _CannotGoOn(NO_RIGHT)
        step = kind.step(job, now=now)
        told = [asdict(problem) for problem in step.problems][: max(MOST_PROBLEMS - len(job.problems), 0)]
        noted = {
            "position": step.position,
            "handled": F("handled") + step.handled,
            "problem_count": F("problem_count") + sum(problem.left for problem in step.problems),
            "claimed_until": now + CLAIM,
            "tries": 1,
        }
        if told:
            noted["problems"] = job.problems + told
        if step.lines:
            noted["file_bytes"] = F("file_bytes") + _write_part(job, step)
        if not _mine(job).update(**noted):
            raise ClaimLost(job.pk)
        if step.finished:
            _end(job, State.DONE, now)
    job.position, job.problems, job.tries = step.position, job.problems + told, 1
    return step.finished


def _write_part(job: StaffJob, step: Step) -> int:
    """Keep the lines of a step; return how many bytes they are in the file."""
    written = step.lines.encode()
    number = job.parts.count()
    JobFilePart.objects.create(job=job, number=number, packed=zlib.compress(written))
    return len(written)


def _end(job: StaffJob, state: str, now: datetime, **more: str) -> None:
    if not _mine(job).update(state=state, finished_at=now, claim_token=None, claimed_until=None, **more):
        raise ClaimLost(job.pk)


def _mine(job: StaffJob) -> StaffJobQuerySet:
    return StaffJob.objects.filter(pk=job.pk, state=State.RUNNING, claim_token=job.claim_token)
