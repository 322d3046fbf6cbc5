"""A service's own price: never below what the service costs."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.templatetags.money import money
from catalog.admin.rule_form import MOST
from catalog.models import Service
from catalog.pricing import cost_micros
from upstream.money import MICROS

PRICE_FIELDS = {"own_rate_micros", "own_rate_per"}  # what the stored selling rates of a service follow


class ServiceForm(forms.ModelForm):
    class Meta:
        model = Service
        fields = ("own_rate_micros",)  # with it the admin names the others
        help_texts = {
            "own_rate_micros": gettext_lazy(
                "Instead of any markup, for as many pieces as the rate buys. Groups still get their discount; "
                "it never falls below the floor margin. Empty: by the markup rules."
            ),
        }

    def clean_own_rate_micros(self) -> int | None:
        own_rate_micros: int | None = self.cleaned_data["own_rate_micros"]
        if own_rate_micros is None:
            return None
        cost = cost_micros(self.instance.rate_upstream_micros)
        if own_rate_micros < cost:
            raise ValidationError(_("Below cost: the service costs %(cost)s.") % {"cost": money(cost)})
        if own_rate_micros > MOST * MICROS:
            raise ValidationError(_("At most %(most)d.") % {"most": MOST})
        return own_rate_micros
