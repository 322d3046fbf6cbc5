"""Fields for the kinds of preferences, and what was typed into them as their kinds read it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import format_html
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
from preferences.kinds import Boolean, Choice, Choices, Color, Image, Text, Translated, Whole
from preferences.look import picture_address
from preferences.registry import Preference

REMOVE = "remove"


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
                    widget=_area() if kind.lines else UnfoldAdminTextInputWidget(),
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
        case Whole():
            return {"": AsTypedField(widget=_number(kind), initial=str(value), **common)}
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
        case Text() | Color() | Whole():
            return cleaned[""] or None
        case Translated():
            return {end.removeprefix("_"): text for end, text in cleaned.items() if text}
    return cleaned[""]


def _text_widget(preference: Preference[Any]) -> forms.Widget:
    assert isinstance(preference.kind, Text)  # noqa: S101 - for the type checker
    if preference is SUPPORT_EMAIL:
        return UnfoldAdminEmailInputWidget()
    return _area() if preference.kind.lines else UnfoldAdminTextInputWidget()


def _number(kind: Whole) -> forms.Widget:
    return UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "maxlength": len(str(kind.most))})


def _area() -> forms.Widget:
    return UnfoldAdminTextareaWidget(attrs={"rows": 3})
