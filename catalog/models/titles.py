"""What a title says besides what something is: facts, and staff's rules for reading them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField


class Fact(models.TextChoices):
    """What can be said of a service, as the keys of `Service.facts`; `catalog.titles.facts` knows their values."""

    QUALITY = "quality", _("Quality")
    COUNTRY = "country", _("Country")
    SPEED = "speed", _("Speed per day")
    PACE = "pace", _("Pace")
    START = "start", _("Start, minutes")
    REFILL = "refill_days", _("Refill, days")
    WARRANTY = "warranty_hours", _("Warranty, hours")
    DROP = "drop", _("Drop, percent")
    MOST = "max", _("Maximum in the title")
    LEAST = "min", _("Minimum in the title")
    FORMAT = "format", _("Format of the goods")
    TERM = "term_months", _("Term, months")
    YEAR = "year", _("Year of registration")
    INCLUDES = "has", _("Included")


class TitleRule(models.Model):
    """A correction by staff of how titles are split; rules are applied in their order, before what the shop knows.

    In a pattern `#` is a number and `*` anything up to the end of a part; everything else is compared as it looks.
    """

    class Kind(models.TextChoices):
        REMOVE = "remove", _("Remove from the name")
        REPLACE = "replace", _("Replace in the name")
        FACT = "fact", _("Read as a fact")

    pattern = models.CharField(
        _("pattern"),
        max_length=200,
        help_text=_("Words of a title. # stands for a number, * for anything up to the next separator."),
    )
    kind = models.CharField(_("what to do"), max_length=8, choices=Kind)
    replacement = models.CharField(
        _("replacement"), max_length=200, blank=True, help_text=_("What stands in the name instead.")
    )
    fact = models.CharField(_("fact"), max_length=16, choices=Fact, blank=True)
    value = models.CharField(
        _("value"),
        max_length=100,
        blank=True,
        help_text=_("For example “us” for a country or “30” for days. # takes the number from the title."),
    )
    active = models.BooleanField(_("active"), default=True)
    position = models.IntegerField(_("position"), default=0, help_text=_("Lower numbers come first."))

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("title rule")
        verbose_name_plural = _("title rules")
        constraints = [
            models.CheckConstraint(condition=~Q(pattern=""), name="title_rule_has_a_pattern"),
            models.CheckConstraint(condition=~Q(kind="fact") | ~Q(fact=""), name="title_rule_names_its_fact"),
        ]

    def __str__(self) -> str:
        return self.pattern

    def clean(self) -> None:
        """Refuse what says nothing: a pattern of stars alone, a replacement or a fact that is missing."""
        super().clean()
        if not any(character.isalnum() for character in self.pattern):
            raise ValidationError({"pattern": _("Enter at least one letter or digit.")})
        if self.pattern.count("*") > 2:
            raise ValidationError({"pattern": _("Use * at most twice.")})
        if self.kind == self.Kind.REPLACE and not self.replacement:
            raise ValidationError({"replacement": _("Enter what stands in the name instead.")})
        if self.kind == self.Kind.FACT and not self.fact:
            raise ValidationError({"fact": _("Choose which fact this is.")})


class PricePoint(models.Model):
    """What a service cost a customer without a group from this day on, until its next point; at most one a day."""

    service = models.ForeignKey(
        "catalog.Service",
        on_delete=models.CASCADE,
        related_name="price_points",
        db_index=False,
        verbose_name=_("service"),
    )
    day = models.DateField(_("day"))
    selling_per_thousand_micros = MicrosField(_("selling rate per 1,000"))

    class Meta:
        verbose_name = _("former price")
        verbose_name_plural = _("former prices")
        constraints = [models.UniqueConstraint(fields=["service", "day"], name="one_price_point_a_day")]

    def __str__(self) -> str:
        return f"{self.service_id}: {self.day}"
