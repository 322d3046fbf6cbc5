"""A service's own price: never below what the service costs."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.templatetags.money import money
from accounts.typed_forms import ModelForm
from catalog.admin.rule_form import MAX_AMOUNT
from catalog.models import Service
from catalog.pricing import cost_micros
from upstream.money import MICROS

PRICE_FIELDS = {"rate_override_micros", "rate_per_override"}  # what the stored selling rates of a service follow


class ServiceForm(ModelForm):
    class Meta:
        model = Service
        fields = ("rate_override_micros",)  # with it the admin names the others
        help_texts = {
            "rate_override_micros": gettext_lazy(
                "Replaces the markup; same unit as the upstream rate. Group discounts still apply, but "
                "never below the floor margin. Empty: markup rules apply."
            ),
        }

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
