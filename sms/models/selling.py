"""What is added to the price of a number, and how often codes come."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models import BaseMarkupRule, markup_rule_constraints
from sms.models.places import Country, Project, Site


class NumberMarkupRule(BaseMarkupRule):
    """What is added to upstream's price of a number. The most specific valid rule counts.

    A project (one website or app in one country) comes before a website or app, that before a country, that before
    all numbers; without any the shop's rule for everything counts.
    """

    class Scope(models.TextChoices):
        ALL = "all", _("All numbers")
        COUNTRY = "country", _("Country")
        SITE = "site", _("Website or app")
        PROJECT = "project", _("Website or app in one country")

    scope = models.CharField(_("scope"), max_length=12, choices=Scope)
    country = models.ForeignKey(Country, verbose_name=_("country"), null=True, blank=True, on_delete=models.CASCADE)
    site = models.ForeignKey(Site, verbose_name=_("website or app"), null=True, blank=True, on_delete=models.CASCADE)
    project = models.ForeignKey(Project, verbose_name=_("SMS project"), null=True, blank=True, on_delete=models.CASCADE)
    # What a rule adds to is the price of one number here.
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=2, validators=[MinValueValidator(-99)])
    fixed_micros = MicrosField(
        _("fixed amount"), default=0, help_text=_("Added to the price of one number, in the shop's currency.")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("number markup rule")
        verbose_name_plural = _("number markup rules")
        constraints = markup_rule_constraints("number_markup_rule", ("country", "site", "project"))

    def __str__(self) -> str:
        target = self.project or self.site or self.country or self.get_scope_display()
        return f"{target}: {self.percent:+}%"


class SuccessRate(models.Model):
    """How often a code came to the numbers of one project lately, and how fast; counted by a scheduled task."""

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, related_name="success", verbose_name=_("SMS project")
    )
    observed = models.PositiveIntegerField(_("eligible numbers"))
    received = models.PositiveIntegerField(_("with a code"))
    median_seconds = models.PositiveIntegerField(_("median seconds to the code"), null=True, blank=True)
    counted_at = models.DateTimeField(_("counted"))

    class Meta:
        ordering = ["-observed"]
        verbose_name = _("success rate")
        verbose_name_plural = _("success rates")
        constraints = [
            models.CheckConstraint(condition=Q(received__lte=F("observed")), name="no_more_codes_than_numbers"),
        ]

    def __str__(self) -> str:
        return f"{self.project}: {self.received} / {self.observed}"

    @property
    def percent(self) -> int:
        """The share of numbers with a code, in percent, rounded down."""
        return self.received * 100 // self.observed if self.observed else 0

    @property
    def usual_wait(self) -> str:
        """How long half of those with a code waited for it at most, `14 s` or `3 min`; nothing where nobody knows."""
        seconds = self.median_seconds
        if seconds is None:
            return ""
        if seconds < 100:
            return gettext("%(seconds)s s") % {"seconds": seconds}
        return gettext("%(minutes)s min") % {"minutes": -(-seconds // 60)}

    @property
    def tone(self) -> str:
        """How the share reads at a glance."""
        return "good" if self.percent >= 70 else "warn" if self.percent >= 40 else "bad"
