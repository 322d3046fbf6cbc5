"""What changes an account: its language and its e-mail address; its API keys are in `api_keys`."""

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import User


def remember_language(user: User, language: str) -> None:
    """Write to the customer in this language from now on; writes only when it is another one."""
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])


@transaction.atomic
def change_email(user: User, email: str) -> None:
    """Give the account another e-mail address; the old one stops working for sign-in, the new one is to be verified."""
    user.email = email.lower()
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"primary": True})
