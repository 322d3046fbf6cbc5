"""What one unit of upstream's currency costs in the shop's, from a moment on."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField


class ExchangeRate(models.Model):
    """A rate with its date. The newest whose time has come counts; without any, the one in the settings."""

    rate_micros = MicrosField(_("rate"), validators=[MinValueValidator(1)])
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now, db_index=True)
    source = models.CharField(_("source"), max_length=100, blank=True)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("set by"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-valid_from", "-id"]
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [models.CheckConstraint(condition=models.Q(rate_micros__gt=0), name="exchange_rate_above_zero")]

    def __str__(self) -> str:
        return f"{self.rate_micros} {self.valid_from:%Y-%m-%d}"
