"""What customers asked for: a download of everything about them, and the end of their account."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DataExportQuerySet(models.QuerySet["DataExport"]):
    def unfinished(self) -> "DataExportQuerySet":
        """Exports that wait for a worker, or that one is writing."""
        return self.filter(state__in=[DataExport.State.WAITING, DataExport.State.RUNNING])

    def to_prepare(self, now: datetime) -> "DataExportQuerySet":
        """Exports that wait, and those whose worker has not been heard of for too long."""
        lost = Q(state=DataExport.State.RUNNING, claimed_until__lt=now)
        return self.filter(Q(state=DataExport.State.WAITING) | lost).order_by("pk")


class DataExport(models.Model):
    """A file with everything about a customer: asked for, being written, ready, or gone again."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Being prepared")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        GONE = "gone", _("Deleted")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_exports", verbose_name=_("customer")
    )
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)
    rows_total = models.PositiveBigIntegerField(_("rows"), default=0)
    rows_done = models.PositiveBigIntegerField(_("rows written"), default=0)
    # A random name in DATA_EXPORT_DIR; while it is being written the file has an ending more.
    file_name = models.CharField(max_length=80, blank=True)
    file_bytes = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    # Whoever writes it has this token, and says in time that it is still at work.
    claim_token = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("data export")
        verbose_name_plural = _("data exports")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state__in=["waiting", "running"]), name="one_export_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(state="ready") | ~Q(file_name=""), name="a_ready_export_has_a_file"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="exports_to_prepare"),
            models.Index(fields=["ready_at"], condition=Q(state="ready"), name="exports_with_a_file"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


class AccountDeletion(models.Model):
    """A customer wants the account deleted: under way and to be undone, undone, or carried out.

    Once WIPING the account is gone, and what is left is to empty the rows that refer to it, some at a time.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        KEPT = "kept", _("Undone")
        WIPING = "wiping", _("Being carried out")
        DONE = "done", _("Carried out")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="deletion", verbose_name=_("customer")
    )
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.PENDING)
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    due_at = models.DateTimeField(_("due"))
    kept_at = models.DateTimeField(_("undone"), null=True, blank=True)
    wiped_at = models.DateTimeField(_("account deleted"), null=True, blank=True)
    done_at = models.DateTimeField(_("carried out"), null=True, blank=True)
    # Money that came in meanwhile, or an order that may still change: what it waits for, and whether that was told.
    obstacle = models.CharField(_("waits because"), max_length=300, blank=True)
    obstacle_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("account deletion")
        verbose_name_plural = _("account deletions")
        indexes = [models.Index(fields=["due_at"], condition=Q(state="pending"), name="deletions_that_are_due")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.get_state_display()}"
