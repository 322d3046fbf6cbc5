"""Work that nothing comes of: a page must not take longer, or shorter, for a customer's address than for nobody's.

The tests in tests/security/test_passwords.py compare the statements, one by one.
"""

import secrets

from allauth.account.internal.flows.email_verification import get_address_for_user
from allauth.account.models import EmailAddress
from allauth.account.utils import has_verified_email, setup_user_email
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User


def play_sign_up(request: HttpRequest, password: str) -> None:
    """Do what a sign-up does, down to hashing the password, and leave nothing of it."""
    with transaction.atomic():
        stand_in = User(email=f"{secrets.token_hex(16)}@invalid.example")
        stand_in.set_password(password)
        stand_in.save()
        setup_user_email(request, stand_in, [EmailAddress(email=stand_in.email)])
        has_verified_email(stand_in)
        getattr(get_address_for_user(stand_in), "user", None)  # read for the letter's greeting
        transaction.set_rollback(True)


def ask_for_account(email: str) -> None:
    """Ask what the library asks for an address that no account has verified, in its way."""
    list(User.objects.filter(email=email).iterator(2000))


def ask_for_addresses_of_nobody(email: str) -> None:
    """Ask what the library asks to make the link of a new password."""
    of_nobody = EmailAddress.objects.filter(user=0)
    of_nobody.filter(email=email).exists()
    list(of_nobody.values_list("email", flat=True))
