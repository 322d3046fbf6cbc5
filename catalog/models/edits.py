"""What long work of staff does to many services: of each what it was and becomes, and the files it is read from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.services import Service
from jobs.models import StaffJob


class EditedService(models.Model):
    """The columns of a service that one job made others, as they were and became, so that it can be put back.

    Of a job that only checks a file they are what importing it would do.
    """

    job = models.ForeignKey(
        StaffJob,
        on_delete=models.CASCADE,
        related_name="edited_services",
        db_index=False,
        verbose_name=_("background job"),
    )
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+", verbose_name=_("service"))
    before = models.JSONField(_("before"))
    after = models.JSONField(_("after"))

    class Meta:
        verbose_name = _("edited service")
        verbose_name_plural = _("edited services")
        constraints = [models.UniqueConstraint(fields=["job", "service"], name="service_edited_once")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.service_id}"


class ServiceFilePart(models.Model):
    """Some lines of a file that is checked, as [line, [cell, …]]; gone when the check has ended."""

    job = models.ForeignKey(
        StaffJob,
        on_delete=models.CASCADE,
        related_name="service_file",
        verbose_name=_("background job"),
        db_index=False,
    )
    number = models.PositiveIntegerField()
    rows = models.JSONField()

    class Meta:
        verbose_name = _("part of a file of services")
        verbose_name_plural = _("parts of files of services")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="service_file_part_once")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.number}"
