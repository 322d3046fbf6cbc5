"""How the shop's parts are doing: what was measured, and what staff writes when something is wrong or planned."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Part(models.TextChoices):
    """A part of the shop, in the order of the status page."""

    ORDERS = "orders", pgettext_lazy("part of the shop", "Sending orders")
    DELIVERY = "delivery", pgettext_lazy("part of the shop", "Delivery updates")
    NUMBERS = "numbers", pgettext_lazy("part of the shop", "Numbers and codes")
    CATALOG = "catalog", pgettext_lazy("part of the shop", "Catalog and prices")
    PAYMENTS = "payments", pgettext_lazy("part of the shop", "Payments")
    WEBSITE = "website", pgettext_lazy("part of the shop", "Website and API")


class Health(models.TextChoices):
    """How a part is doing. Nothing is unknown in the database: it is what nobody measured."""

    OK = "ok", pgettext_lazy("health", "Working")
    SLOW = "slow", pgettext_lazy("health", "Slow")
    DOWN = "down", pgettext_lazy("health", "Not working")


class MeasuredPart(models.Model):
    """What was measured last about a part. `figure` is what the words of the page are made of, see support/status."""

    part = models.CharField(_("part"), max_length=8, choices=Part, unique=True)
    health = models.CharField(_("health"), max_length=4, choices=Health)
    figure = models.JSONField(_("figure"), default=dict, blank=True)
    measured_at = models.DateTimeField(_("measured"))

    class Meta:
        ordering = ["part"]
        verbose_name = _("measured part")
        verbose_name_plural = _("measured parts")

    def __str__(self) -> str:
        return f"{self.get_part_display()}: {self.get_health_display()}"


class PartDay(models.Model):
    """For how many seconds of a day, in UTC, a part was known to be how; what is missing is not known."""

    part = models.CharField(_("part"), max_length=8, choices=Part)
    day = models.DateField(_("day"))
    ok_seconds = models.PositiveIntegerField(_("working"), default=0)
    slow_seconds = models.PositiveIntegerField(_("slow"), default=0)
    down_seconds = models.PositiveIntegerField(_("not working"), default=0)

    class Meta:
        ordering = ["-day", "part"]
        verbose_name = _("day of a part")
        verbose_name_plural = _("days of parts")
        constraints = [
            models.UniqueConstraint(fields=["day", "part"], name="one_row_per_part_and_day"),
            models.CheckConstraint(
                condition=Q(ok_seconds__lte=86_400 - F("slow_seconds") - F("down_seconds")), name="a_day_has_one_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.part}"


class Incident(models.Model):
    """Something that went wrong, or work that is planned, as staff tells it. `titles` is {language: text}.

    What went wrong has ended once it is resolved; planned work has an end from the start.
    """

    class Severity(models.TextChoices):
        MAINTENANCE = "planned", pgettext_lazy("severity", "Planned work")
        MINOR = "minor", pgettext_lazy("severity", "Slower, or a part of it")
        MAJOR = "major", pgettext_lazy("severity", "Not working")

    titles = models.JSONField(_("title"))
    severity = models.CharField(_("severity"), max_length=7, choices=Severity, default=Severity.MINOR)
    parts = models.JSONField(_("parts"), default=list)  # values of Part
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    planned_until = models.DateTimeField(_("planned until"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("written by"),
    )
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        ordering = ["-started_at", "-id"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.CheckConstraint(
                condition=Q(severity="planned", planned_until__gt=F("started_at"))
                | (~Q(severity="planned") & Q(planned_until=None)),
                name="only_planned_work_has_a_planned_end",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(resolved_at__gte=F("started_at")), name="resolved_after_it_started"
            ),
        ]
        indexes = [models.Index(fields=["started_at"], condition=Q(resolved_at=None), name="incidents_not_resolved")]

    def __str__(self) -> str:
        return str(next(iter(self.titles.values()), f"#{self.pk}"))

    @property
    def part_labels(self) -> list[str]:
        """The names of its parts, in the order of the page."""
        return [str(part.label) for part in Part if part in self.parts]


class IncidentUpdate(models.Model):
    """What staff said about an incident at a moment. `texts` is {language: text}; rows are only added."""

    class Stage(models.TextChoices):
        LOOKING = "looking", pgettext_lazy("incident", "We're looking into it")
        FOUND = "found", pgettext_lazy("incident", "Cause found")
        WATCHING = "watching", pgettext_lazy("incident", "Fixed, we keep watching")
        RESOLVED = "resolved", pgettext_lazy("incident", "Resolved")
        PLANNED = "planned", pgettext_lazy("incident", "Planned")
        NOTE = "note", pgettext_lazy("incident", "Update")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates", verbose_name=_("incident"))
    stage = models.CharField(_("stage"), max_length=8, choices=Stage, default=Stage.LOOKING)
    texts = models.JSONField(_("text"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("written by"),
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("update")
        verbose_name_plural = _("updates")

    def __str__(self) -> str:
        return f"{self.get_stage_display()} {self.created_at:%Y-%m-%d %H:%M}"
