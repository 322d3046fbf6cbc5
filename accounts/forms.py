"""What a customer may choose about the account itself."""

from django import forms

from accounts.models import User


class MailForm(forms.ModelForm):
    """Which news come by e-mail."""

    class Meta:
        model = User
        fields = ("wants_mail", "wants_price_mail")
