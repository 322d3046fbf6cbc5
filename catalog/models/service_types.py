"""What staff says the service types mean that the shop doesn't know by itself."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.services import OrderForm
from upstream.reading.text import comparable

LONGEST_TYPE = 300


def compared_type(upstream_type: str) -> str:
    """Return what all spellings of a service type have in common, as a row of `MappedType` has it."""
    return comparable(upstream_type)[:LONGEST_TYPE]


class MappedType(models.Model):
    """A service type of upstream and how services of it are ordered, in every spelling of the type."""

    # As `comparable` has it; some letters become several there.
    type = models.CharField(_("upstream type"), max_length=LONGEST_TYPE, unique=True, blank=True)
    order_form = models.CharField(
        _("ordered by"),
        max_length=8,
        choices=[(form, form.label) for form in (OrderForm.QUANTITY, OrderForm.COMMENTS)],
    )
    created_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["type"]
        verbose_name = _("service type")
        verbose_name_plural = _("service types")

    def __str__(self) -> str:
        return self.type or "–"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; its type as types are compared."""
        self.type = compared_type(self.type)
        super().save(*args, **kwargs)
