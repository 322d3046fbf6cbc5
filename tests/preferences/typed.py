"""The page of preferences as a browser sends it back."""

from typing import Any

from django import forms

from accounts.typed_forms import Form


def as_typed(form: Form, **changed: Any) -> dict[str, Any]:
    """Return what a browser sends of the form as it was shown, with other values in some of its fields."""
    sent = {}
    for bound in form:
        value = bound.value()
        if bound.field.disabled or isinstance(bound.field, forms.FileField):
            continue
        if isinstance(bound.field, forms.BooleanField):
            if value:
                sent[bound.name] = "on"
        else:
            sent[bound.name] = value if value is not None else ""
    return {name: value for name, value in {**sent, **changed}.items() if value is not None}
