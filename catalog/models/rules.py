"""Markup rules: what is added to the upstream rate, for whom and when."""

from collections.abc import Sequence

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models.categories import Category, Subcategory
from catalog.models.services import Service


class Rounding(models.TextChoices):
    """To what a selling rate per 1,000 is rounded up; a rate per piece is rounded the same way."""

    CENT = "0.01", _("to 0.01")
    FIVE_CENTS = "0.05", _("to 0.05")
    TEN_CENTS = "0.10", _("to 0.10")
    HALF = "0.50", _("to 0.50")
    WHOLE = "1.00", _("to 1.00")
    NINETY_NINE = ".99", _("to the next .99")


class BaseMarkupRule(models.Model):
    """What a rule adds to a cost, and when it is valid; for whom is its subclass's business.

    Of several valid rules of one scope and target the one that began last counts, then the newest. A rule without
    beginning and end is the background that any other one covers; one with an end alone began when it was created.
    """

    percent = models.DecimalField(
        _("percent"),
        max_digits=7,
        decimal_places=2,
        validators=[MinValueValidator(-99)],
        help_text=_("Can be negative only with a fixed amount that keeps every service above its cost."),
    )
    fixed_micros = MicrosField(
        _("fixed amount"),
        default=0,
        help_text=_("Added to the rate, in the shop's currency; same unit as the upstream rate."),
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
        _("rounding"), max_length=8, choices=Rounding, blank=True, help_text=_("Always rounds up, before any discount.")
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True, help_text=_("Empty: starts at once."))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True, help_text=_("Empty: no end date."))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        abstract = True


def markup_rule_constraints(name: str, targets: Sequence[str]) -> list[models.BaseConstraint]:
    """Return what must hold for every kind of rule; `name` begins their names, each of `targets` is scope and column.

    A rule names exactly what its scope says, and the scope "all" nothing. Rules that are valid for a while may stand
    beside the one that is always valid, of which there is one for each target.
    """
    names_its_scope = Q(scope="all", **dict.fromkeys(targets))
    for scope in targets:
        others = dict.fromkeys(target for target in targets if target != scope)
        names_its_scope |= Q(scope=scope, **{f"{scope}__isnull": False}, **others)
    return [
        models.CheckConstraint(
            name=f"{name}_names_its_scope",
            condition=names_its_scope,
            violation_error_message=_("Choose exactly what the scope asks for, and nothing else."),
        ),
        *[
            models.UniqueConstraint(
                fields=["scope" if scope == "all" else scope],
                condition=Q(scope=scope, valid_from=None, valid_until=None),
                name=f"one_lasting_{name}_for_{scope}",
            )
            for scope in ("all", *targets)
        ],
        models.CheckConstraint(
            condition=Q(percent__gt=-100) & (Q(floor_percent=None) | Q(floor_percent__gte=0)),
            name=f"{name}_keeps_its_percents_in_range",
        ),
        models.CheckConstraint(
            condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_from__lt=F("valid_until")),
            name=f"{name}_ends_after_it_begins",
            violation_error_message=_("The rule must end after it starts."),
        ),
    ]


class MarkupRule(BaseMarkupRule):
    """What is added to the upstream rate. The most specific valid rule counts; without any, the settings' default."""

    class Scope(models.TextChoices):
        ALL = "all", _("Everything")
        CATEGORY = "category", _("Category")
        SUBCATEGORY = "subcategory", _("Subcategory")
        SERVICE = "service", _("Service")

    scope = models.CharField(_("scope"), max_length=12, choices=Scope)
    category = models.ForeignKey(Category, verbose_name=_("category"), null=True, blank=True, on_delete=models.CASCADE)
    subcategory = models.ForeignKey(
        Subcategory, verbose_name=_("subcategory"), null=True, blank=True, on_delete=models.CASCADE
    )
    service = models.ForeignKey(Service, verbose_name=_("service"), null=True, blank=True, on_delete=models.CASCADE)

    class Meta:
        verbose_name = _("markup rule")
        verbose_name_plural = _("markup rules")
        constraints = markup_rule_constraints("markup_rule", ("category", "subcategory", "service"))

    def __str__(self) -> str:
        target = self.service or self.subcategory or self.category or self.get_scope_display()
        return f"{target}: {self.percent:+}%"


class PriceList(models.Model):
    """What the stored selling rates were computed from, and how often they may have changed. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.PositiveBigIntegerField(_("version"), default=1)
    # A digest of the rules valid then and of the settings that prices depend on; empty: never computed.
    basis = models.CharField(max_length=64, blank=True, default="", editable=False)
    priced_at = models.DateTimeField(_("all prices computed"), null=True, blank=True)
    changed = models.PositiveIntegerField(_("prices changed"), default=0)
    # A digest of the import rules that all services were last hidden and shown by; empty: by none.
    import_basis = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price list")
        constraints = [models.CheckConstraint(name="one_price_list", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self.version)
