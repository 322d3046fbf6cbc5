"""What of the set-up of a new shop is settled, and when seldom jobs last ran."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SetUpStep(models.Model):
    """What became of a step of `storefront.set_up.steps`, in the words that its page shows; no row: nothing yet."""

    class State(models.TextChoices):
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Put off"

    name = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=7, choices=State)
    said = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("step of the set-up")
        verbose_name_plural = _("steps of the set-up")

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class ScheduledJob(models.Model):
    """When a job that beat asks for seldom last ended, and how; see `storefront.monitoring.scheduled_jobs`."""

    name = models.CharField(max_length=60, unique=True)  # as in CELERY_BEAT_SCHEDULE
    known_since = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failed = models.BooleanField(default=False)  # the last time
    figures = models.JSONField(default=dict, blank=True)  # what it found out

    class Meta:
        verbose_name = _("scheduled job")
        verbose_name_plural = _("scheduled jobs")

    def __str__(self) -> str:
        return self.name
