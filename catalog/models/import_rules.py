"""Which of upstream's services the shop takes over, and what new ones start as."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ImportRule(models.Model):
    """What becomes of services that match it; of the active rules the first that matches counts.

    An empty pattern is for all. In a pattern `*` is anything; everything else is compared as it looks.
    """

    class Outcome(models.TextChoices):
        TAKE = "take", _("Sell it")
        HIDDEN = "hidden", _("Hide it at first: staff shows it")
        LEAVE = "leave", _("Don't sell it")

    position = models.IntegerField(_("position"), default=0, help_text=_("Lower numbers come first."))
    active = models.BooleanField(_("active"), default=True)
    category = models.CharField(
        _("upstream category"),
        max_length=200,
        blank=True,
        help_text=_("The whole name as upstream has it; * stands for anything: “Instagram*”. Empty: every category."),
    )
    type = models.CharField(
        _("upstream type"), max_length=100, blank=True, help_text=_("Likewise: “Custom comments”. Empty: every type.")
    )
    name = models.CharField(
        _("upstream name"), max_length=200, blank=True, help_text=_("Likewise: “*followers*”. Empty: every name.")
    )
    outcome = models.CharField(_("what becomes of it"), max_length=6, choices=Outcome, default=Outcome.TAKE)
    markup_percent = models.DecimalField(
        _("markup of new categories, %"),
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(10_000)],
        help_text=_(
            "A category that comes new gets a markup rule with this percentage. New services of categories that are "
            "there cost what their category's rule says. Empty: the shop's rules."
        ),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("import rule")
        verbose_name_plural = _("import rules")

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.category, self.type, self.name))) or str(_("Everything"))
