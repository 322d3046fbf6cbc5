"""The count of changes that everything which is cached goes by."""

from django.db import models


class CatalogVersion(models.Model):
    """One of the rows whose sum is the catalog's version; triggers write them, see catalog/caching/version.py."""

    id = models.IntegerField(primary_key=True)
    changes = models.BigIntegerField()

    class Meta:
        db_table = "catalog_version"

    def __str__(self) -> str:
        return f"{self.pk}: {self.changes}"
