"""What each sync found and did."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.money import MicrosField
from catalog.models.services import Service


class SyncRun(models.Model):
    """One run of a sync: what it found, what it did, or why it did nothing."""

    class Kind(models.TextChoices):
        CATALOG = "catalog", _("Services")
        SMS = "sms", _("SMS numbers")
        TRANSLATIONS = "names", _("Names of services in other languages")
        SMS_TRANSLATIONS = "smsnames", _("Names of SMS numbers in other languages")

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        APPLIED = "applied", _("Applied")
        UNCHANGED = "unchanged", _("Nothing changed")
        REJECTED = "rejected", _("Not applied")
        QUARANTINED = "quarantined", _("Waiting for your decision")
        DROPPED = "dropped", _("Dropped")
        FAILED = "failed", pgettext_lazy("sync", "Failed")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    status = models.CharField(_("status"), max_length=11, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(_("started"), default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    total = models.PositiveIntegerField(_("rows"), default=0)
    added = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    withdrawn = models.PositiveIntegerField(_("withdrawn"), default=0)
    returned = models.PositiveIntegerField(_("back on sale"), default=0)
    repriced = models.PositiveIntegerField(_("repriced"), default=0)
    bytes = models.BigIntegerField(_("bytes"), default=0)
    read_in_full = models.BooleanField(_("all subcategories read"), default=False)
    set_aside = models.JSONField(_("skipped rows"), default=list, blank=True)
    error = models.TextField(_("error"), blank=True)
    difference = models.JSONField(
        _("difference"), default=dict, blank=True, help_text=_("For a quarantined run: what it would change.")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    # Of a sync of translated names: where it stands, and how many of what is sold have no translation.
    translations = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    # Which process runs it, so that a dead one is told from a slow one: see catalog.sync.run_lock.
    lock_holder = models.CharField(max_length=200, blank=True, default="", editable=False)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(status="running"), name="one_running_sync_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.started_at:%Y-%m-%d %H:%M}"


class QuarantinedAnswer(models.Model):
    """The whole answer of a quarantined run, packed, so that exactly what the admin looked at can be applied."""

    run = models.OneToOneField(SyncRun, on_delete=models.CASCADE, related_name="answer", verbose_name=_("sync run"))
    packed = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("quarantined answer")
        verbose_name_plural = _("quarantined answers")

    def __str__(self) -> str:
        return str(self.run)


class ServiceChange(models.Model):
    """What one sync changed about one service. New services have none: their `first_seen_at` says it."""

    class Kind(models.TextChoices):
        RATE = "rate", _("Rate")
        FIELDS = "fields", _("Other fields")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        BACK = "back", _("Back on sale")

    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, related_name="changes", verbose_name=_("sync run"))
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="changes", verbose_name=_("service"))
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    rate_before_micros = MicrosField(_("upstream rate before"), null=True, blank=True)
    rate_after_micros = MicrosField(_("upstream rate after"), null=True, blank=True)
    fields = models.JSONField(_("fields"), default=dict, blank=True)  # {column: [before, after]}
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("service change")
        verbose_name_plural = _("service changes")

    def __str__(self) -> str:
        return f"{self.service_id}: {self.get_kind_display()}"
