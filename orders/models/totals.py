"""What the reports are read from: the books' amounts added up by day and month, for each service, customer and so on.

Nothing in here is news: all of it is reckoned from the ledger and the orders, and can be at any time.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField


class Length(models.TextChoices):
    """How long the span of a total is."""

    DAY = "d", _("Day")
    MONTH = "m", _("Month")
    QUARTER = "q", _("Quarter")


class Total(models.Model):
    """A span's amounts for one thing: `dimension` is the sort of thing, `key` its id, 0 for none of them.

    Amounts are in the shop's currency and mean what they mean in the books (orders.accounting.report.Line); those of
    any dimension add up to those of the whole span. `expected_micros` is what the orders sold should have cost that
    upstream has. Orders count on the day they were sold, whenever they ended.
    """

    span = models.CharField(max_length=1, choices=Length)
    first = models.DateField()  # the first day of the span
    dimension = models.CharField(max_length=10)
    key = models.BigIntegerField()

    sales_micros = MicrosField(default=0)
    discounts_micros = MicrosField(default=0)
    refunds_micros = MicrosField(default=0)
    claim_refunds_micros = MicrosField(default=0)
    expected_micros = MicrosField(default=0)
    cost_micros = MicrosField(default=0)
    replacements_micros = MicrosField(default=0)

    orders = models.PositiveBigIntegerField(default=0)  # replacements are none
    completed = models.PositiveBigIntegerField(default=0)
    partial = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)  # canceled ones too
    refunded = models.PositiveBigIntegerField(default=0)  # of which anything was given back
    done_seconds = models.PositiveBigIntegerField(default=0)  # from payment to completion, over all completed ones

    class Meta:
        verbose_name = _("report total")
        verbose_name_plural = _("report totals")
        constraints = [
            models.UniqueConstraint(fields=["dimension", "span", "first", "key"], name="total_once_per_span_and_key")
        ]
        indexes = [models.Index(fields=["dimension", "key", "first"], name="totals_of_a_key")]

    def __str__(self) -> str:
        return f"{self.first} {self.dimension} {self.key}"


class GatewayTotal(models.Model):
    """What a way to pay brought and took on a day, as the ledger has it; `gateway` is "?" for payments nobody knows."""

    day = models.DateField()
    gateway = models.CharField(max_length=20)
    payments = models.PositiveBigIntegerField(default=0)
    paid_in_micros = MicrosField(default=0)
    fees_micros = MicrosField(default=0)  # paid by customers on top of it
    bonus_micros = MicrosField(default=0)
    taken_back_micros = MicrosField(default=0)  # less what was returned

    class Meta:
        verbose_name = _("gateway total")
        verbose_name_plural = _("gateway totals")
        constraints = [models.UniqueConstraint(fields=["day", "gateway"], name="total_once_per_day_and_gateway")]

    def __str__(self) -> str:
        return f"{self.day} {self.gateway}"


class TotalSpan(models.Model):
    """A day, month or quarter whose totals are there, and since when. Whoever reckons them holds this row meanwhile."""

    span = models.CharField(max_length=1, choices=Length)
    first = models.DateField()
    way = models.CharField(max_length=200, blank=True)  # the shop's clock then, and what it was added up by
    reckoned_at = models.DateTimeField(null=True, blank=True)  # none: they are to be reckoned, again or at all

    class Meta:
        verbose_name = _("span of report totals")
        verbose_name_plural = _("spans of report totals")
        constraints = [models.UniqueConstraint(fields=["span", "first"], name="total_span_once")]

    def __str__(self) -> str:
        return f"{self.first} {self.span}"
