"""What countries, websites and projects were known under before they were made one with another."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class FormerKey(models.Model):
    """An id or code that leads nowhere any more; resellers hold it, and people have links with it."""

    class Of(models.TextChoices):
        COUNTRY = "country", _("Country")
        SITE = "site", _("Website or app")
        PROJECT = "project", _("SMS project")

    of = models.CharField(_("kind"), max_length=8, choices=Of)
    key = models.CharField(_("former key"), max_length=20)  # a country's code, the id of the others
    row_id = models.BigIntegerField(_("row it is now"))

    class Meta:
        verbose_name = _("former key")
        verbose_name_plural = _("former keys")
        constraints = [models.UniqueConstraint(fields=["of", "key"], name="former_key_once")]

    def __str__(self) -> str:
        return f"{self.of} {self.key}"
