"""Groups of customers: their discount, their cashback, and what makes a group a level."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField


class CustomerGroup(models.Model):
    """Customers who buy at a discount; a price never falls below its floor for them either."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    discount_percent = models.DecimalField(
        _("discount, %"),
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    is_reseller = models.BooleanField(
        _("resellers"),
        default=False,
        db_default=False,
        help_text=_("Announcements for resellers are shown to them, with or without an API key."),
    )
    automatic = models.BooleanField(
        _("automatic level"),
        default=False,
        db_default=False,
        help_text=_("Customers come and go by what they spend. Whoever you put into another group stays there."),
    )
    spend_from_micros = MicrosField(
        _("from this spent in 30 days"), default=0, db_default=0, validators=[MinValueValidator(0)]
    )
    cashback_percent = models.DecimalField(
        _("cashback, percent of the margin"),
        max_digits=5,
        decimal_places=2,
        default=0,
        db_default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Paid into the wallet once an order is final. The floor margin always stays with the shop."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("customer group")
        verbose_name_plural = _("customer groups")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if not self.automatic:
            return
        if self.spend_from_micros <= 0:
            raise ValidationError({"spend_from_micros": _("A level begins at an amount above zero.")})
        others = CustomerGroup.objects.filter(automatic=True, spend_from_micros=self.spend_from_micros)
        if others.exclude(pk=self.pk).exists():
            raise ValidationError({"spend_from_micros": _("Another level begins at the same amount.")})
