"""The field of a form that takes the files of a message."""

from typing import Any

from django import forms

from support.attachments.reading import ACCEPTED


class FilesInput(forms.FileInput):
    """Several files at once."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """The files of a message, as they were sent: what is taken of them, support.attachments.reading says."""

    widget = FilesInput(attrs={"accept": ACCEPTED})

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return a list."""
        return [file for file in data or [] if file]
