"""What services were like before many of them were edited at once, so that it can be put back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.services import Service
from jobs.models import StaffJob


class ServiceBefore(models.Model):
    """What one job changed of one service: the columns that became others, as they were and as they are then."""

    job = models.ForeignKey(
        StaffJob,
        on_delete=models.CASCADE,
        related_name="services_before",
        db_index=False,
        verbose_name=_("background job"),
    )
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+", verbose_name=_("service"))
    before = models.JSONField(_("before"))
    after = models.JSONField(_("after"))

    class Meta:
        verbose_name = _("service before an edit")
        verbose_name_plural = _("services before an edit")
        constraints = [models.UniqueConstraint(fields=["job", "service"], name="service_before_once")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.service_id}"
