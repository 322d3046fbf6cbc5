"""What a customer may choose about the account itself."""

from accounts.models import User
from accounts.typed_forms import ModelForm


class MailForm(ModelForm):
    """Which news come by e-mail."""

    class Meta:
        model = User
        fields = ("wants_mail", "wants_price_mail")
