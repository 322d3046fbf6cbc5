"""Every change of a preference there ever was, of which the newest holds; and the pictures they name."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PreferenceChange(models.Model):
    """Who made what of a preference. The table only grows, as `accounts/append_only.py` says.

    Names are kept as texts and accounts as numbers, so that a row outlives who made it.
    """

    name = models.CharField(_("preference"), max_length=60)
    # As the preference's kind writes it down. null: its default.
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)
    changed_at = models.DateTimeField(_("time"), default=timezone.now)
    actor_id = models.BigIntegerField(_("account number"), null=True, blank=True)
    actor = models.CharField(_("by"), max_length=254, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        indexes = [models.Index(fields=["name", "-id"], name="newest_of_each_preference")]

    def __str__(self) -> str:
        return self.name


class Picture(models.Model):
    """A picture that the shop has made itself from what was uploaded. A former value may name it, so it stays."""

    digest = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the bytes: the address changes with them
    content = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return self.digest

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep a picture. Raises TypeError for one that is there already: its digest is its name."""
        if not self._state.adding:
            raise TypeError("pictures are never edited")
        super().save(*args, **kwargs)
