"""The box that accepts the terms. It sends the version that stood on the page, so nobody accepts another one."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.typed_forms import Form
from support.models import DocumentVersion


class Checkbox(forms.CheckboxInput):
    """A box that sends a number; it comes back ticked only where that is still the right one.

    Pages know a box by the name of this class.
    """

    def __init__(self, version_id: int) -> None:
        super().__init__(attrs={"value": str(version_id)}, check_test=lambda value: value == str(version_id))

    def format_value(self, value: Any) -> None:
        """Leave the number to the attributes, whatever was sent."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return what was sent, not whether anything was."""
        return data.get(name) or ""


class AcceptField(forms.CharField):
    """Has to be ticked for the version of the terms that holds now."""

    def __init__(self, version: DocumentVersion) -> None:
        self.version = version
        address = reverse("documents:document", args=[version.document.slug])
        super().__init__(
            widget=Checkbox(version.pk),
            label=_("I accept the terms"),
            help_text=format_html(
                '<a href="{}" target="_blank" rel="noopener">{}</a>', address, _("Read the terms (opens in a new tab)")
            ),
            error_messages={"required": _("Please read the terms, and tick the box if you accept them.")},
        )

    def clean(self, value: Any) -> str:
        """Return the version's number. Raises ValidationError for none, or another one."""
        sent = str(super().clean(value))
        if sent != str(self.version.pk):
            raise forms.ValidationError(
                _("The terms have changed since you opened this page. Please read them, and tick the box again.")
            )
        return sent


class AcceptForm(Form):
    """The box alone, on a page that asks for nothing else."""

    def __init__(self, data: Any = None, *, version: DocumentVersion) -> None:
        super().__init__(data)
        self.fields["terms"] = AcceptField(version)
