"""Fields for the kinds of preferences, and what was typed into them as their kinds read it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminColorInputWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminImageFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.typed_forms import AsTypedField
from preferences.face import SUPPORT_EMAIL
from preferences.kinds import Boolean, Choice, Choices, Color, Image, Text, Translated
from preferences.look import picture_address
from preferences.numbers import Duration, Number, Whole
from preferences.registry import Preference

REMOVE = "remove"
LINE = 120  # characters: what is longer is not read in a field of one line


def fields_of(preference: Preference[Any]) -> dict[str, forms.Field]:
    """Return the fields of a preference by the ends of their names, with the value that holds now in them."""
    kind, value = preference.kind, preference.value
    common: dict[str, Any] = {"label": preference.title, "help_text": preference.help, "required": False}
    match kind:
        case Text():
            return {"": AsTypedField(widget=_text_widget(preference), initial=value, **common)}
        case Translated():
            return {
                f"_{code}": AsTypedField(
                    widget=_words_widget(kind, code),
                    initial=value.get(code, ""),
                    **{**common, "label": f"{preference.title} ({name})"},
                )
                for code, name in settings.LANGUAGES
            }
        case Color():
            return {"": AsTypedField(widget=UnfoldAdminColorInputWidget(), initial=value, **common)}
        case Choice():
            return {
                "": forms.ChoiceField(
                    choices=list(kind.options()), widget=UnfoldAdminSelectWidget(), initial=value, **common
                )
            }
        case Choices():
            return {
                "": forms.MultipleChoiceField(
                    choices=list(kind.options()),
                    widget=UnfoldAdminCheckboxSelectMultipleWidget(),
                    initial=list(value),
                    **common,
                )
            }
        case Number():
            common["help_text"] = _number_help(preference, kind)
            return {"": AsTypedField(widget=_number(kind), initial=kind.typed(value), **common)}
        case Boolean():
            return {"": forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), initial=value, **common)}
        case Image():
            now = next(iter(value.values()), None)
            if now is not None:
                common["help_text"] = format_html(
                    '<img class="mb-2" src="{}" alt="" height="32"> {}', picture_address(now), preference.help
                )
            upload = forms.FileField(widget=UnfoldAdminImageFieldWidget(), **common)
            upload.widget.attrs["accept"] = "image/png,image/jpeg,image/webp"
            remove = forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), required=False, label=_("Remove the logo"))
            return {"": upload, f"_{REMOVE}": remove} if value else {"": upload}
    raise TypeError(f"no field for {kind}")


def typed(preference: Preference[Any], cleaned: Mapping[str, Any]) -> Any:
    """Return what was typed, by the ends of the fields' names, as `preference.kind.read` takes it.

    None where the default shall hold. Not for pictures, which are no text.
    """
    kind = preference.kind
    match kind:
        case Text() | Color() | Number():
            return cleaned[""] or None
        case Translated():
            return {end.removeprefix("_"): text for end, text in cleaned.items() if text}
    return cleaned[""]


def _words_widget(kind: Translated, code: str) -> forms.Widget:
    """A field in which the usual words stand, pale, until somebody writes others."""
    with translation.override(code):
        usual = {"placeholder": str(kind.fallback)} if kind.fallback else {}
    if kind.lines or kind.longest > LINE:
        return UnfoldAdminTextareaWidget(attrs={"rows": 3 if kind.lines else 2, **usual})
    return UnfoldAdminTextInputWidget(attrs=usual)


def _text_widget(preference: Preference[Any]) -> forms.Widget:
    assert isinstance(preference.kind, Text)  # noqa: S101 - for the type checker
    if preference is SUPPORT_EMAIL:
        return UnfoldAdminEmailInputWidget()
    return _area() if preference.kind.lines else UnfoldAdminTextInputWidget()


def _number(kind: Number[Any]) -> forms.Widget:
    inputmode = "numeric" if isinstance(kind, Whole | Duration) else "decimal"
    return UnfoldAdminTextInputWidget(attrs={"inputmode": inputmode, "maxlength": 20})


def _number_help(preference: Preference[Any], kind: Number[Any]) -> str:
    """What it is, within which limits, and what holds where the field is emptied."""
    usual = gettext("Empty: %(value)s.") % {"value": kind.said(preference.default_value)}
    return " ".join(str(part) for part in (preference.help, kind.limits, usual) if part)


def _area() -> forms.Widget:
    return UnfoldAdminTextareaWidget(attrs={"rows": 3})
