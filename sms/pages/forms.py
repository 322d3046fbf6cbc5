"""What a customer types to buy numbers: how many, and whether an old one again."""

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.typed_forms import Form
from sms.models import Number, Project, SuccessRate
from sms.operations import MAX_AT_ONCE, ReplacementRequest


class BuyNumberForm(Form):
    """Numbers for one project; with `reuse`, once more the number of an earlier order of the same customer."""

    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        initial=1,
        error_messages={
            "required": gettext_lazy("Enter how many numbers you want."),
            "invalid": gettext_lazy("Enter a whole number."),
        },
        validators=[
            MinValueValidator(1, gettext_lazy("Enter at least 1.")),
            MaxValueValidator(MAX_AT_ONCE, gettext_lazy("Up to %(limit_value)s numbers at once.")),
        ],
        widget=forms.NumberInput(attrs={"min": 1, "max": MAX_AT_ONCE, "inputmode": "numeric", "autocomplete": "off"}),
    )
    shown_price_micros = forms.IntegerField(widget=forms.HiddenInput)
    request_id = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}), initial=uuid.uuid4)
    reuse = forms.IntegerField(widget=forms.HiddenInput, required=False)
    auto_replace = forms.BooleanField(
        label=gettext_lazy(
            "If no code arrives for a while, replace the number automatically, once, with another one from "
            "this country at no more than this price."
        ),
        required=False,
    )

    def __init__(self, *args: Any, project: Project, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = f"id_{project.pk}_%s"  # many of these forms stand on one page; ids must differ
        self.project = project
        self.user = user

    def clean_reuse(self) -> str:
        """Turn the number of the earlier order into the phone number itself; it has to be the customer's own."""
        order_id = self.cleaned_data["reuse"]
        if order_id is None:
            return ""
        own = Number.objects.filter(order__user=self.user, project=self.project).exclude(phone="")
        number = own.filter(order__pk=order_id).first()
        if number is None:
            raise ValidationError(_("You have no such number for this website or app."))
        return number.phone

    def request(self) -> dict[str, Any]:
        """Return what `buy_numbers` needs, from a valid form."""
        price_micros = self.cleaned_data["shown_price_micros"]
        return {
            "quantity": self.cleaned_data["quantity"],
            "shown_price_micros": price_micros,
            "request_id": str(self.cleaned_data["request_id"]),
            "reuse_phone": self.cleaned_data["reuse"],
            "replacement": ReplacementRequest(price_micros) if self.cleaned_data["auto_replace"] else None,
        }

    def renew(self) -> None:
        """Give the form an identity of its own again, after the old one turned out to be used up."""
        self.data = {**{name: self.data.get(name) for name in self.data}, "request_id": str(uuid.uuid4())}


@dataclass(frozen=True)
class Offer:
    """A project as the page shows it: with this customer's price and the form that buys it.

    `success` is None where too few numbers speak for it. `others` are dearer offers of the same website or app in the
    same country, which upstream may list several times.
    """

    project: Project
    price_micros: int
    form: BuyNumberForm
    success: SuccessRate | None = None
    others: "tuple[Offer, ...]" = ()
