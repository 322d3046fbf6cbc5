"""Texts by language with placeholders: the fields, what is checked at saving, and the preview."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.typed_forms import ModelForm
from support.first_answers.wording import LONGEST, check_text, fill


class TextsForm(ModelForm):
    """A row whose `texts` are {language: text}: a field for each language, and a preview before anything is saved."""

    shows_preview = False
    names: Sequence[str] = ()

    def samples(self) -> Mapping[str, str]:
        """Return what stands for the placeholders in the preview."""
        raise NotImplementedError

    def shipped(self, language: str) -> str:
        """Return the text that holds where there is none in a language; "" where there is no such text."""
        return ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, _name in settings.LANGUAGES:
            self.fields[field_of(code)].initial = self.instance.texts.get(code, "")

    def clean(self) -> dict[str, Any]:
        """Check the placeholders of each language's text."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for code, _name in settings.LANGUAGES:
            try:
                check_text(cleaned.get(field_of(code), ""), self.names)
            except ValidationError as error:
                self.add_error(field_of(code), error)
        return cleaned

    def is_valid(self) -> bool:
        """Return whether the row can be saved now: a preview that is asked for comes first."""
        return super().is_valid() and not self.shows_preview

    def _post_clean(self) -> None:
        self.instance.texts = {
            code: self.cleaned_data[field_of(code)].strip()
            for code, _name in settings.LANGUAGES
            if self.cleaned_data.get(field_of(code), "").strip()
        }
        self.instance.updated_at = timezone.now()
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        self.shows_preview = not self.errors and "_preview" in self.data

    @property
    def previews(self) -> list[tuple[str, str]]:
        """The text in each language with samples filled in, beside the language's name."""
        texts = [(name, self.instance.texts.get(code) or self.shipped(code)) for code, name in settings.LANGUAGES]
        return [(str(name), fill(text, self.samples())) for name, text in texts if text]


def field_of(language: str) -> str:
    """Return the name of the field that has the text in a language."""
    return f"text_{language.replace('-', '_')}"


# Declared after the class, as there are as many as languages; forms that build on it inherit them.
TextsForm.declared_fields.update(
    {
        field_of(code): forms.CharField(
            label=format_lazy(gettext_lazy("Text ({language})"), language=name),
            max_length=LONGEST,
            required=False,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        )
        for code, name in settings.LANGUAGES
    }
)
