"""What customers keep an eye on."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.services import Service


class Favorite(models.Model):
    """A service that a customer wants to find again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favorites", verbose_name=_("customer")
    )
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="favorites", verbose_name=_("service"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("favorite")
        verbose_name_plural = _("favorites")
        constraints = [models.UniqueConstraint(fields=["user", "service"], name="favorite_once_per_customer")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.service_id}"


class StockAlert(models.Model):
    """A customer wants one message, by e-mail, when a sold-out service is back in stock."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stock_alerts", verbose_name=_("customer")
    )
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, related_name="stock_alerts", verbose_name=_("service")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    notified_at = models.DateTimeField(_("notified"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("stock alert")
        verbose_name_plural = _("stock alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "service"], condition=models.Q(notified_at=None), name="one_open_stock_alert"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.service_id}"
