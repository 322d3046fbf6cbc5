"""How well a service has done lately, as the shop's own orders show; `orders` measures, the catalog shows."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models.services import NEVER_MEASURED, Service

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Up to so many seconds, times are kept in steps of so many: a figure that differs by less reads the same, and a page
# that reads the same need not be made again.
_STEPS = ((20 * MINUTE, MINUTE), (HOUR, 5 * MINUTE), (6 * HOUR, 15 * MINUTE), (2 * DAY, HOUR))


def in_steps(seconds: float) -> int:
    """Return a length of time as it is kept and shown: the nearest step, a minute at least."""
    step = next((step for limit, step in _STEPS if seconds < limit), DAY)
    return min(max(int(seconds / step + 0.5) * step, MINUTE), NEVER_MEASURED - 1)


class ServiceQuality(models.Model):
    """What became of a service's orders in the last days, and how long they took; only where there were enough.

    Times are seconds from payment, in steps. See orders/accounting/service_quality.py for what is counted.
    """

    service = models.OneToOneField(
        Service, on_delete=models.CASCADE, related_name="quality", primary_key=True, verbose_name=_("service")
    )
    orders = models.PositiveIntegerField(_("orders"))
    completed = models.PositiveIntegerField(_("completed"))
    partial = models.PositiveIntegerField(_("partially completed"))
    refunded = models.PositiveIntegerField(_("refunded"))
    start_seconds = models.PositiveIntegerField(_("usual time to the start"), null=True)
    start_seconds_most = models.PositiveIntegerField(_("time to the start of nine in ten"), null=True)
    done_seconds = models.PositiveIntegerField(_("usual time to the end"), null=True)
    done_seconds_most = models.PositiveIntegerField(_("time to the end of nine in ten"), null=True)
    # The usual time to the end of each day's orders, the oldest day first; None for a day without any.
    by_day = models.JSONField(default=list)
    measured_at = models.DateTimeField(_("measured"), default=timezone.now)

    class Meta:
        verbose_name = _("service quality")
        verbose_name_plural = _("service quality")

    def __str__(self) -> str:
        return f"{self.service_id}: {self.orders}"

    @property
    def shares(self) -> tuple[int, int, int]:
        """The orders completed, completed in part and refunded, in percent."""
        return shares_of(self.completed, self.partial, self.refunded)


class ServiceMargin(models.Model):
    """What the orders of a service brought in the last days; only where there were any.

    Amounts are in the shop's currency, but for those that say upstream. What is counted is said in
    orders/accounting/service_margin.py.
    """

    service = models.OneToOneField(
        Service, on_delete=models.CASCADE, related_name="margin", primary_key=True, verbose_name=_("service")
    )
    orders = models.PositiveIntegerField(_("orders"))
    kept_micros = MicrosField(_("sales less refunds"))
    cost_micros = MicrosField(_("upstream cost"))
    margin_micros = MicrosField(_("margin"), db_index=True)
    # Of the orders that were done in whole and that upstream named a charge for.
    charged_orders = models.PositiveIntegerField(_("orders charged"), default=0, db_default=0)
    expected_upstream_micros = MicrosField(_("expected cost"), default=0, db_default=0)
    charged_upstream_micros = MicrosField(_("charged"), default=0, db_default=0)
    surplus_upstream_micros = MicrosField(_("charged more than expected"), default=0, db_default=0)
    measured_at = models.DateTimeField(_("measured"), default=timezone.now)

    class Meta:
        verbose_name = _("margin of a service")
        verbose_name_plural = _("margins of services")
        indexes = [
            models.Index(
                F("surplus_upstream_micros").desc(),
                "service",
                condition=Q(charged_orders__gt=0),
                name="margin_by_surplus",
            )
        ]

    def __str__(self) -> str:
        return f"{self.service_id}: {self.margin_micros}"


def shares_of(completed: int, partial: int, refunded: int) -> tuple[int, int, int]:
    """Return the three shares in percent: "100" is all of them, and what there was of the others is 1 at least."""
    orders = completed + partial + refunded
    small, none = (max(round(100 * part / orders), 1) if part else 0 for part in (partial, refunded))
    return 100 * completed // orders, small, none
