"""Fields for texts that are written once for each language and kept as {language: text}."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.typed_forms import ModelForm


def names_of(column: str) -> tuple[str, ...]:
    """Return the names of a column's fields, the shop's own language first."""
    codes = [code for code, _name in settings.LANGUAGES]
    return tuple(f"{column}_{code}" for code in sorted(codes, key=lambda code: code != settings.LANGUAGE_CODE))


def fields_of(
    column: str, label: str | Promise, *, longest: int, lines: bool = False, required: bool = False
) -> dict[str, forms.CharField]:
    """Return a field for each language; `required` is only that of the shop's own, which stands in for the others."""
    languages = {f"{column}_{code}": (code, name) for code, name in settings.LANGUAGES}
    found = {}
    for field in names_of(column):
        code, name = languages[field]
        own = code == settings.LANGUAGE_CODE
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 4}) if lines else UnfoldAdminTextInputWidget()
        widget.attrs["lang"] = code
        found[field] = forms.CharField(
            label=format_lazy("{} ({})", label, name),
            max_length=longest,
            required=required and own,
            widget=widget,
            help_text="" if own else _("Empty: readers of this language see the other one."),
        )
    return found


class TextsForm(ModelForm):
    """A form about a row with such columns; each has its fields under `fields_of`."""

    text_columns: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for column in self.text_columns:
            for code, text in (getattr(self.instance, column) or {}).items():
                self.initial.setdefault(f"{column}_{code}", text)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for column in self.text_columns:
            texts = {code: cleaned.get(f"{column}_{code}", "") for code, _name in settings.LANGUAGES}
            setattr(self.instance, column, {code: text for code, text in texts.items() if text})
        return cleaned
