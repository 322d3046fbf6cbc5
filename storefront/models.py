"""What of the set-up of a new shop is settled, when seldom jobs last ran, and which backups were taken."""

from django.db import models
from django.db.models import Q
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


class Backup(models.Model):
    """A backup as it was taken: where it lies, how large it is, and whether it was read again from there."""

    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    name = models.CharField(max_length=60)
    place = models.CharField(max_length=500)
    size_bytes = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    lock_holder = models.CharField(max_length=100, blank=True)  # who takes it; see `catalog.sync.run_lock`

    class Meta:
        ordering = ["-id"]
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        constraints = [
            # Two at once would only slow down each other and the shop.
            models.UniqueConstraint(models.Value(1), condition=Q(finished_at=None), name="one_backup_is_under_way"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def newest_good(cls) -> "Backup | None":
        """Return the newest one that was written and read again."""
        return cls.objects.filter(verified_at__isnull=False).first()
