"""The count of changes that everything which is cached goes by."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CatalogVersion(models.Model):
    """One of the rows whose sum is the catalog's version; triggers write them, see catalog/caching/version.py."""

    id = models.IntegerField(primary_key=True)
    changes = models.BigIntegerField(_("changes"))

    class Meta:
        db_table = "catalog_version"
        verbose_name = _("catalog version")
        verbose_name_plural = _("catalog versions")

    def __str__(self) -> str:
        return f"{self.pk}: {self.changes}"
