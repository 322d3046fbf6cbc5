"""Long work of staff: what was asked for, how far it is, and what went wrong where."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaffJobQuerySet(models.QuerySet["StaffJob"]):
    def to_run(self, now: datetime) -> "StaffJobQuerySet":
        """Jobs that wait for a worker, and those whose worker has not been heard of for too long, oldest first."""
        lost = Q(state=StaffJob.State.RUNNING, claimed_until__lt=now)
        return self.filter(Q(state=StaffJob.State.WAITING) | lost).order_by("pk")


class StaffJob(models.Model):
    """Something that takes longer than a page may: done step by step, each step in one transaction with its progress.

    `params` is the kind's own, see `jobs.kinds`. Kept small: what is chosen, not what it holds.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    kind = models.CharField(_("kind"), max_length=40)
    title = models.CharField(_("what"), max_length=200)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="staff_jobs", verbose_name=_("by")
    )
    language = models.CharField(max_length=10)  # what went wrong is said in it
    params = models.JSONField(default=dict, blank=True)
    back = models.CharField(max_length=1000, blank=True)  # the page it was asked for on
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    # Where the next step begins, as the kind writes it; empty at the start.
    position = models.CharField(max_length=100, blank=True)
    total = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    handled = models.PositiveBigIntegerField(_("rows done"), default=0)
    problem_count = models.PositiveBigIntegerField(_("not changed"), default=0)
    problems = models.JSONField(default=list, blank=True)  # the first MOST_PROBLEMS: row, text, url
    error = models.CharField(_("why it failed"), max_length=300, blank=True)
    file_name = models.CharField(_("file"), max_length=100, blank=True)
    file_bytes = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # Whoever works on it has this token, and says with every step that it is still at work.
    claim_token = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)  # since the last step that went well

    objects = StaffJobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="jobs_to_run"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="jobs_that_ended"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_unfinished(self) -> bool:
        """Whether a worker has to do with it still."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def changed(self) -> int:
        """How many rows it was done to."""
        return self.handled - self.problem_count

    @property
    def percent(self) -> int | None:
        """How far it is; None while nobody has counted."""
        if self.state == self.State.DONE:
            return 100
        return min(100 * self.handled // self.total, 100) if self.total else None

    @property
    def rows(self) -> list[Any]:
        """The chosen rows of a job over rows, see `jobs.kinds.Rows`."""
        chosen: list[Any] = self.params.get("rows", [])
        return chosen


class JobFilePart(models.Model):
    """A piece of the file that a job makes; in the database, so that every web process can hand it out."""

    job = models.ForeignKey(
        StaffJob,
        on_delete=models.CASCADE,
        related_name="parts",
        verbose_name=_("background job"),
        db_index=False,  # the constraint's index begins with it
    )
    number = models.PositiveIntegerField()
    packed = models.BinaryField()  # zlib

    class Meta:
        verbose_name = _("part of a file")
        verbose_name_plural = _("parts of files")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="file_part_once")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.number}"
