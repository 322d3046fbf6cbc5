"""A form with a field of every kind and state, for the examples of form_field and form_errors."""

from django import forms

from accounts.typed_forms import Form


class ExampleForm(Form):
    """What is invented is in English: it is data, not a text of the shop."""

    prefix = "example"

    text = forms.CharField(label="Link", help_text="The whole address, with https://")
    optional = forms.CharField(label="Note", required=False)
    empty = forms.CharField(label="Quantity")
    choice = forms.ChoiceField(label="Country", choices=[("us", "United States"), ("lv", "Latvia")])
    agreed = forms.BooleanField(label="Replace the number by itself", required=False)
    lines = forms.CharField(label="Comments, one on each line", widget=forms.Textarea(attrs={"rows": 3}))

    def clean(self) -> None:
        """Refuse the form as a whole, too."""
        self.add_error(None, "The price has changed. Check the new one and order again.")


def plain() -> ExampleForm:
    """A form as it is opened."""
    return ExampleForm()


def refused() -> ExampleForm:
    """A form that has been sent, with errors of a field and of the whole."""
    form = ExampleForm(
        {"example-text": "https://example.com/name", "example-choice": "lv", "example-lines": "One\nTwo"}
    )
    form.full_clean()
    return form
