"""What somebody types to say that this account shall really go."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.typed_forms import Form

ASKED = gettext_lazy("Type the email address of this account to confirm.")


class DeletionForm(Form):
    """The address of the account that is to be deleted, typed once more."""

    email = forms.CharField(
        widget=forms.EmailInput(attrs={"autocomplete": "off"}), error_messages={"required": ASKED}, max_length=254
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["email"].label = _("Type %(email)s to confirm") % {"email": user.email}

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"]
        if typed.lower() != self.user.email:
            raise forms.ValidationError(str(ASKED))
        return typed
