"""Texts that staff answers with often, worded by language."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.admin.widgets import EMPTY, ModelAdmin
from support.admin.texts import TextsForm, field_of
from support.first_answers.canned import NAMES
from support.models import CannedAnswer, Ticket

TEXTS = tuple(field_of(code) for code, _name in settings.LANGUAGES)
SAMPLES = {
    "name": "ann",
    "email": "ann@example.com",
    "ticket": "#12",
    "order": "#1024",
    "item": "Instagram Followers",
    "link": "https://example.com/ann",
    "quantity": "1,000",
    "price": "$1.88",
    "refunded": "$0.75",
    "payment": "K7QX2MWTR4AB",
    "store": "Shop",
}


class CannedAnswerForm(TextsForm):
    names = NAMES
    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Offered first for"),
        choices=Ticket.Reason.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = CannedAnswer
        fields = ("name", "reasons", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        placeholders = " ".join(f"{{{name}}}" for name in NAMES)
        for name in TEXTS:
            self.fields[name].help_text = gettext_lazy("Placeholders: %(names)s") % {"names": placeholders}

    def clean(self) -> dict[str, Any]:
        """An answer says something in one language at least."""
        cleaned = super().clean()
        if not any(cleaned.get(name) for name in TEXTS) and not self.errors:
            raise ValidationError(_("Write the text in one language at least."))
        return cleaned

    def samples(self) -> Mapping[str, str]:
        return SAMPLES


@admin.register(CannedAnswer)
class CannedAnswerAdmin(ModelAdmin):
    form = CannedAnswerForm
    list_display = ("name", "languages", "shown_reasons", "active", "updated_at")
    list_filter = ("active",)
    search_fields = ("name",)
    named_by = ("name",)
    fields = ("name", "reasons", *TEXTS, "active")
    change_form_before_template = "admin/support/text_preview.html"

    @display(description=gettext_lazy("languages"))
    def languages(self, answer: CannedAnswer) -> str:
        return ", ".join(code for code, _name in settings.LANGUAGES if answer.texts.get(code)) or EMPTY

    @display(description=gettext_lazy("offered first for"))
    def shown_reasons(self, answer: CannedAnswer) -> str:
        known = dict(Ticket.Reason.choices)
        return ", ".join(str(known[reason]) for reason in answer.reasons if reason in known) or EMPTY
