"""What changed on a day, as customers see it."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.money import MicrosField


class ServiceNews(models.Model):
    """One change of one service on one day: what came of all that happened to it between midnight and midnight.

    Prices are those of customers without a group, for 1,000 pieces; nothing here says what a service costs the shop.
    """

    class Kind(models.TextChoices):
        NEW = "new", pgettext_lazy("change", "New")
        GONE = "gone", pgettext_lazy("change", "No longer sold")
        BACK = "back", pgettext_lazy("change", "Back")
        CHEAPER = "cheaper", pgettext_lazy("change", "Cheaper")
        DEARER = "dearer", pgettext_lazy("change", "Price up")

    service = models.ForeignKey(
        "catalog.Service", on_delete=models.CASCADE, related_name="news", verbose_name=_("service")
    )
    day = models.DateField(_("day"), db_index=True)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind)
    before_micros = MicrosField(_("price before"), null=True, blank=True)
    after_micros = MicrosField(_("price after"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("news of a service")
        verbose_name_plural = _("news of services")
        constraints = [models.UniqueConstraint(fields=["service", "day"], name="one_news_of_a_service_a_day")]

    def __str__(self) -> str:
        return f"{self.service_id}: {self.day} {self.kind}"

    @property
    def percent(self) -> int:
        """By how many percent its price is another one, without a sign; 0 where it isn't about a price."""
        if not self.before_micros or self.after_micros is None:
            return 0
        return round(abs(self.after_micros - self.before_micros) * 100 / self.before_micros)
