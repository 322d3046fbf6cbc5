"""The form in which a document is written: a title and a text for each language of the shop."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from accounts.typed_forms import Form
from support.documents.known import TERMS
from support.documents.markdown import LONGEST
from support.documents.words import unknown
from support.models import Document, DocumentVersion

LONGEST_TITLE, LONGEST_SUMMARY = 80, 600


class DocumentForm(Form):
    """What a version says. `seen` is the newest one's number when the page was made: whoever was slower is told."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, data: Any = None, *, document: Document, newest: DocumentVersion | None) -> None:
        super().__init__(data)
        self.is_terms = document.slug == TERMS
        self.fields["seen"].initial = newest.number if newest else 0
        for code, name in settings.LANGUAGES:
            needed = code == settings.LANGUAGE_CODE
            self.fields[f"title_{code}"] = forms.CharField(
                label=_("Title (%(language)s)") % {"language": name},
                max_length=LONGEST_TITLE,
                required=needed,
                widget=UnfoldAdminTextInputWidget(),
                initial=newest.titles.get(code, "") if newest else "",
            )
            self.fields[f"text_{code}"] = forms.CharField(
                label=_("Text (%(language)s)") % {"language": name},
                max_length=LONGEST,
                required=needed,
                widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "true", "lang": code}),
                initial=newest.texts.get(code, "") if newest else "",
                help_text=_("Markdown. ## begins a section, ### a question of the FAQ.") if needed else "",
            )
        if self.is_terms:
            self._ask_what_changed()

    def _ask_what_changed(self) -> None:
        self.fields["asks_again"] = forms.BooleanField(
            label=gettext_lazy("Ask customers again"),
            required=False,
            widget=UnfoldBooleanSwitchWidget(),
            help_text=gettext_lazy(
                "They are asked to accept this version before their next purchase, and who buys by API gets an email. "
                "Not for a comma."
            ),
        )
        for code, name in settings.LANGUAGES:
            self.fields[f"summary_{code}"] = forms.CharField(
                label=_("What has changed (%(language)s)") % {"language": name},
                max_length=LONGEST_SUMMARY,
                required=False,
                widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "lang": code}),
                help_text=_("Shown to customers when they are asked."),
            )

    def clean(self) -> dict[str, Any]:
        for name, text in list(self.cleaned_data.items()):
            if isinstance(text, str) and (strange := unknown(text)):
                self.add_error(
                    name, ValidationError(_("Nothing is known as %(words)s.") % {"words": ", ".join(strange)})
                )
        for code, _name in settings.LANGUAGES:
            title, text = self.cleaned_data.get(f"title_{code}"), self.cleaned_data.get(f"text_{code}")
            if text and title == "":
                self.add_error(f"title_{code}", ValidationError(_("A text needs a title in its language.")))
        return self.cleaned_data

    def without_errors(self) -> "DocumentForm":
        """Return the form as it was typed, not looked at yet."""
        self._errors = ErrorDict()
        return self

    def said(self, kind: str) -> dict[str, str]:
        """Return what was typed as "title", "text" or "summary", by language."""
        return {code: self.cleaned_data.get(f"{kind}_{code}", "") for code, _name in settings.LANGUAGES}
