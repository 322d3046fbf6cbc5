"""Forms about API keys, for customers and for staff."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.keys.allowed_networks import (
    MAX_NETWORKS,
    NotANetwork,
    TooManyNetworks,
    clean_networks,
)
from accounts.models import ApiKey
from accounts.typed_forms import ModelForm

POWERS = ("may_read", "may_order", "may_sms", "may_see_secrets")
BOUNDS = ("daily_limit_micros", "allowed_addresses", "expires_at")
HABITS = ("bare_services", "numbers_as_text", "get_for_reads", "http_errors")


class KeyForm(ModelForm):
    """What a key is called and what it may do; `powers` are the values for the operations on keys."""

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("name", *POWERS, *BOUNDS, *HABITS)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not name:
            raise forms.ValidationError(_("Enter what the key is for."))
        return name

    def clean_allowed_addresses(self) -> str:
        try:
            return clean_networks(self.cleaned_data["allowed_addresses"])
        except NotANetwork as error:
            text = _("%(line)s is not an address or a network. Examples: 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32.")
            raise forms.ValidationError(text % {"line": error.line}) from None
        except TooManyNetworks:
            raise forms.ValidationError(_("Enter up to %(maximum)d addresses.") % {"maximum": MAX_NETWORKS}) from None

    def clean_daily_limit_micros(self) -> int | None:
        limit: int | None = self.cleaned_data["daily_limit_micros"]
        if limit is not None and limit < 0:
            raise forms.ValidationError(_("The limit can't be negative."))
        return limit

    @property
    def powers(self) -> dict[str, Any]:
        """The values of a valid form."""
        return {field: self.cleaned_data[field] for field in self.fields if field in self.cleaned_data}


class CustomerKeyForm(KeyForm):
    """The same for the customer; how many calls a minute it may make is for staff to say."""

    class Meta(KeyForm.Meta):
        widgets = {
            "expires_at": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "allowed_addresses": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
            "daily_limit_micros": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        }


class NewKeyForm(CustomerKeyForm):
    """A new key: what kind it is can only be said now."""

    is_test = forms.BooleanField(
        label=gettext_lazy("Test key"),
        required=False,
        help_text=gettext_lazy("Runs the whole API on test money; nothing real is bought."),
    )
