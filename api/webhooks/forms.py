"""What a customer says about a webhook."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.typed_forms import ModelForm
from api.models import Webhook


class WebhookForm(ModelForm):
    """Where to tell, and of what. Whether the address may be told at all, the operation decides."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hooks", "autocomplete": "off"}),
        help_text=gettext_lazy("Your server has to answer a POST to it with 200 within ten seconds."),
    )

    class Meta:
        model = Webhook
        fields = ("url", "name", "wants_orders", "wants_numbers")
        help_texts = {"name": gettext_lazy("To tell it apart from your other webhooks.")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not (cleaned.get("wants_orders") or cleaned.get("wants_numbers")):
            self.add_error("wants_orders", _("Choose at least one kind of event."))
        return cleaned
