"""The form of a service: its own price is never below what it costs, and its own facts can be read."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.templatetags.money import money
from accounts.typed_forms import AsTypedField, ModelForm
from catalog.admin.rule_form import MAX_AMOUNT
from catalog.models import Service
from catalog.pricing import cost_micros
from catalog.sync.import_rules import import_rules
from catalog.titles.facts import read_lines, write_lines
from upstream.money import MICROS

# What the stored selling rates of a service follow.
PRICE_FIELDS = {"rate_override_micros", "rate_per_override", "markup_percent"}


class ServiceForm(ModelForm):
    facts_override = AsTypedField(
        label=gettext_lazy("facts"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "One fact in each line, instead of what its title says: “country: us”, “refill_days: 30”, “speed: "
            "1000-5000”. A dash for the value means that there is none: “quality: -”."
        ),
    )

    class Meta:
        model = Service
        fields = ("rate_override_micros", "facts_override")  # with it the admin names the others
        help_texts = {
            "warranty_days": gettext_lazy(
                "Of goods. Empty: as the title or the description says, else the shop's usual one. 0: none. Orders "
                "keep what they were bought with."
            ),
            "rate_override_micros": gettext_lazy(
                "Replaces the markup; same unit as the upstream rate. Group discounts still apply, but "
                "never below the floor margin. Empty: markup rules apply."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["facts_override"] = write_lines(self.instance.facts_override)

    def clean_facts_override(self) -> dict[str, Any]:
        try:
            return read_lines(self.cleaned_data["facts_override"])
        except ValueError as error:
            raise ValidationError(_("This line can't be read: %(line)s") % {"line": error}) from error

    def clean_visible(self) -> bool:
        """Refuse to show what an import rule leaves out: with the next sync it would be hidden again."""
        visible: bool = self.cleaned_data["visible"]
        service = self.instance
        shown = visible and not self.initial.get("visible")
        category = service.upstream_category or service.category
        if shown and import_rules().leave_out(category.name, service.type, service.name):
            raise ValidationError(_("An import rule leaves this service out. Change the rule first."))
        return visible

    def clean_rate_override_micros(self) -> int | None:
        rate_override_micros: int | None = self.cleaned_data["rate_override_micros"]
        if rate_override_micros is None:
            return None
        cost = cost_micros(self.instance.rate_upstream_micros)
        if rate_override_micros < cost:
            raise ValidationError(_("This is below cost: the service costs %(cost)s.") % {"cost": money(cost)})
        if rate_override_micros > MAX_AMOUNT * MICROS:
            raise ValidationError(_("Enter %(maximum)d or less.") % {"maximum": MAX_AMOUNT})
        return rate_override_micros
