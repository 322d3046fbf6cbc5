"""How every form of the shop reads what was typed or pasted into it, before anything of it is checked.

What nobody sees comes along when somebody copies from a chat or a web page: it is taken out of text and numbers, and
stays in passwords, where it may be meant. The readings themselves are upstream.reading's, for all doors alike.
"""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.formats import number_format

from upstream.reading import amounts
from upstream.reading.links import link
from upstream.reading.text import address, line, paragraphs

_PLAIN = re.compile(r"[0-9.eE+-]+")
# Choices and files are not typed.
_TYPED = (
    forms.CharField,
    forms.IntegerField,  # and those for decimals
    forms.DateField,
    forms.DateTimeField,
    forms.TimeField,
    forms.DurationField,
    forms.SplitDateTimeField,
)


class AsTypedField(forms.CharField):
    """Text that comes to its form as it was typed, for a form that reads it line by line itself."""


class LinkField(forms.CharField):
    """A link, or what is read as one; whether it leads anywhere its form says."""


class QuantityField(forms.IntegerField):
    """A number of pieces: `1000`, `1 000` and `1000.0` are the same, here as in a mass order and in the API."""

    def to_python(self, value: Any) -> int | None:
        """Return the pieces, or None for an empty field."""
        if not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        found = amounts.typed_quantity(value)
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found


class AmountField(forms.DecimalField):
    """A decimal amount: `10.50`, `10,50` and `1 000,00`, whatever the language of the page."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        """Return the amount, or None for an empty field."""
        if not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        found = amounts.typed_amount(value)
        if found is None and _PLAIN.fullmatch(value.strip()):
            return super().to_python(value)  # too long, or with an exponent
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Ask telephones for the keyboard with digits."""
        attrs: dict[str, Any] = super().widget_attrs(widget)
        return attrs if widget.is_hidden else {"inputmode": "decimal", **attrs}


class ReadsTyped(forms.BaseForm):
    """The reading itself, mixed into forms that have a base of their own, like allauth's and the admin's."""

    def full_clean(self) -> None:
        """Read what was typed, then check it as every form does."""
        if self.is_bound:
            self._read_typed()
        super().full_clean()
        for errors in self.errors.values():
            for error in errors.as_data():
                _write_limits(error)

    def _read_typed(self) -> None:
        read = {}
        for name, field in self.fields.items():
            for key in _keys(self.add_prefix(name), field):
                typed = self.data.get(key)
                if isinstance(typed, str) and (kept := as_read(field, typed)) != typed:
                    read[key] = kept
        if read:
            data: Any = self.data.copy()  # type: ignore[attr-defined]  # a dict or a request's own, which stays as it is
            for key, kept in read.items():
                data[key] = kept
            self.data = data


def _write_limits(error: forms.ValidationError) -> None:
    """Let an error name its limit as the reader writes numbers: `10,000`, `10 000`."""
    params = error.params or {}
    limit = params.get("limit_value")
    if error.code in {"min_value", "max_value"} and isinstance(limit, int | Decimal):
        error.params = {**params, "limit_value": number_format(limit, use_l10n=True, force_grouping=True)}


class Form(ReadsTyped, forms.Form):
    """A form of the shop. What is wrong with it stands in the summary of its page: accounts/form_problems.py."""

    fields_shown = True  # or the page says why there is nothing to fill in


class FilterForm(Form):
    """What a list is narrowed to. Nonsense in the address means no filter; no page calls that an error."""

    is_filter = True


class ModelForm(ReadsTyped, forms.ModelForm):
    """A form of the shop about a row."""


def as_read(field: forms.Field, typed: str) -> str:
    """Return what was typed into a field as that field is given it."""
    if not isinstance(field, _TYPED) or isinstance(field, AsTypedField):
        return typed
    if "\0" in typed:  # no keyboard has it: it is refused
        return typed
    if isinstance(field.widget, forms.PasswordInput):
        return typed
    if isinstance(field, forms.DecimalField | forms.FloatField):
        found = amounts.typed_amount(typed)
        return line(typed) if found is None else f"{found:f}"
    if isinstance(field, forms.IntegerField):
        pieces = amounts.typed_quantity(typed)
        return line(typed) if pieces is None else str(pieces)
    if isinstance(field, forms.EmailField) or isinstance(field.widget, forms.EmailInput):
        return address(typed)
    if isinstance(field, LinkField | forms.URLField):
        return link(typed)
    return paragraphs(typed) if isinstance(field.widget, forms.Textarea) else line(typed)


def _keys(name: str, field: forms.Field) -> list[str]:
    if isinstance(field.widget, forms.MultiWidget):
        suffixes: list[str] = field.widget.widgets_names  # type: ignore[attr-defined]  # which the stubs leave out
        return [f"{name}{suffix}" for suffix in suffixes]
    return [name]
