"""What is added to the price of a number, and how often codes come."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models import MarkupRule
from sms.models.places import Country, Project, Site


class NumberMarkupRule(models.Model):
    """What is added to upstream's price of a number. The most specific valid rule counts.

    A project (one website or app in one country) comes before a website or app, that before a country, that before
    all numbers; without any the shop's rule for everything counts. Of several valid rules of one scope and target the
    one that began last counts, then the newest.
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
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=2, validators=[MinValueValidator(-99)])
    fixed_micros = MicrosField(
        _("fixed amount"), default=0, help_text=_("Added to the price of one number, in the shop's currency.")
    )
    floor_percent = models.DecimalField(
        _("floor margin, %"),
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_(
            "No price falls below cost plus this margin, whatever the discount. Empty: the shop's floor margin."
        ),
    )
    rounding = models.CharField(
        _("rounding"),
        max_length=8,
        choices=MarkupRule.Rounding,
        blank=True,
        help_text=_("Always rounds up, before any discount."),
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True, help_text=_("Empty: starts at once."))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True, help_text=_("Empty: no end date."))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("number markup rule")
        verbose_name_plural = _("number markup rules")
        constraints = [
            models.CheckConstraint(
                name="number_markup_rule_names_its_scope",
                condition=Q(scope="all", country=None, site=None, project=None)
                | Q(scope="country", country__isnull=False, site=None, project=None)
                | Q(scope="site", country=None, site__isnull=False, project=None)
                | Q(scope="project", country=None, site=None, project__isnull=False),
                violation_error_message=_("Choose exactly what the scope asks for, and nothing else."),
            ),
            *[
                models.UniqueConstraint(
                    fields=[target],
                    condition=Q(scope=scope, valid_from=None, valid_until=None),
                    name=f"one_lasting_number_markup_rule_for_{scope}",
                )
                for scope, target in (
                    ("all", "scope"),
                    ("country", "country"),
                    ("site", "site"),
                    ("project", "project"),
                )
            ],
            models.CheckConstraint(
                condition=Q(percent__gt=-100) & (Q(floor_percent=None) | Q(floor_percent__gte=0)),
                name="number_markup_rule_keeps_its_percents_in_range",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_from__lt=F("valid_until")),
                name="number_markup_rule_ends_after_it_begins",
                violation_error_message=_("The rule must end after it starts."),
            ),
        ]

    def __str__(self) -> str:
        target = self.project or self.site or self.country or self.get_scope_display()
        return f"{target}: {self.percent:+} %"


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
    def tone(self) -> str:
        """How the share reads at a glance."""
        return "good" if self.percent >= 70 else "warn" if self.percent >= 40 else "bad"
