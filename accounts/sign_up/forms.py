"""allauth's forms, reading what was typed or pasted as every form of the shop does.

Signing up and in tells nobody who is a customer, by words or by work: what is done for one address is done for all.
"""

from typing import Any

from allauth.account import app_settings
from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import handle_verification_email_rate_limit
from allauth.account.models import EmailAddress
from allauth.account.utils import has_verified_email
from allauth.core import context
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp import forms as authenticator
from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from accounts.access import address_of
from accounts.deny_list.checks import Denied, Place, denied_email, denied_network, record_hit
from accounts.models import User
from accounts.sign_up.same_work import ask_for_account, ask_for_addresses_of_nobody, play_sign_up
from accounts.typed_forms import ReadsTyped

WORDS_FOR_EMAIL = gettext_lazy("We can't take this email address. Please use another one.")
WORDS_FOR_NETWORK = gettext_lazy("We can't open an account for you right now. If you need one, write to us.")


class LoginForm(ReadsTyped, account.LoginForm):
    """Signing in."""

    def _clean_with_password(self, credentials: dict[str, Any]) -> dict[str, Any]:
        """Say the same of an address that is not confirmed as of a wrong password, and send the link again.

        Whoever signs somebody else's address up chooses the password: would it open anything here, they knew that the
        address had been nobody's.
        """
        cleaned: dict[str, Any] = super()._clean_with_password(credentials)
        mandatory = app_settings.EMAIL_VERIFICATION == app_settings.EmailVerificationMethod.MANDATORY
        if mandatory and not has_verified_email(self.user, credentials["email"]):
            address = EmailAddress.objects.filter(user=self.user, email=credentials["email"].lower()).first()
            if address is None:  # an account that staff has made
                address = EmailAddress.objects.create(user=self.user, email=self.user.email)
            if handle_verification_email_rate_limit(self.request, address.email):
                address.send_confirmation(self.request)
            raise get_adapter().validation_error("email_password_mismatch")
        return cleaned


class SignupForm(ReadsTyped, account.SignupForm):
    """Signing up."""

    def clean(self) -> dict[str, Any]:
        """Refuse who is on the deny list, by the address or by where they are; whether it is a customer's or not."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.add_error_of_list(denied_email(str(cleaned.get("email") or "")), "email", WORDS_FOR_EMAIL)
        self.add_error_of_list(denied_network(address_of(context.request)), None, WORDS_FOR_NETWORK)
        return cleaned

    def add_error_of_list(self, denied: Denied | None, field: str | None, words: Any) -> None:
        """Count that an entry was met, and say nothing of it."""
        if denied is not None:
            record_hit(denied, place=Place.SIGN_UP, address=address_of(context.request))
            self.add_error(field, words)

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Do for a customer's address what is done for a new one; nothing of it stays."""
        if self.account_already_exists:
            play_sign_up(request, self.cleaned_data["password1"])
        saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        return saved


class OwnAddress(ReadsTyped):
    """An address that becomes an account's, which may be none of a domain on the deny list."""

    def clean_email(self) -> str:
        """Return the address. Raises ValidationError."""
        email: str = super().clean_email()  # type: ignore[misc]  # the library's form stands behind
        denied = denied_email(email)
        if denied is not None:
            record_hit(denied, place=Place.EMAIL, user=getattr(self, "user", None), address=address_of(context.request))
            raise forms.ValidationError(WORDS_FOR_EMAIL)
        return email


class AddEmailForm(OwnAddress, account.AddEmailForm):
    """Another address of one's own."""


class ChangeEmailForm(OwnAddress, account.ChangeEmailForm):
    """The right address, where a mistyped one has not been verified yet."""


class ChangePasswordForm(ReadsTyped, account.ChangePasswordForm):
    """A new password for the old one, which is not guessed here either."""

    def clean_oldpassword(self) -> str:
        """Look at the old password as the sign-in does, counting wrong ones."""
        typed = str(self.cleaned_data.get("oldpassword", ""))
        if not get_adapter().reauthenticate(self.user, typed):
            raise get_adapter().validation_error("enter_current_password")
        return typed


class ResetPasswordForm(ReadsTyped, account.ResetPasswordForm):
    """Asking for a new password."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send a letter in any case, and ask the database the same number of things for it."""
        email = self.cleaned_data["email"]
        if self.users:
            ask_for_account(email)
        else:
            ask_for_addresses_of_nobody(email)
        return str(super().save(request, **kwargs))


class RequestLoginCodeForm(ReadsTyped, account.RequestLoginCodeForm):
    """Asking for a code to sign in with."""


class ConfirmLoginCodeForm(ReadsTyped, account.ConfirmLoginCodeForm):
    """The code that signs in."""


class ConfirmEmailCodeForm(ReadsTyped, account.ConfirmEmailVerificationCodeForm):
    """The code that verifies an address."""


class ConfirmResetCodeForm(ReadsTyped, account.ConfirmPasswordResetCodeForm):
    """The code that allows a new password."""


class AuthenticateForm(ReadsTyped, second_step.AuthenticateForm):
    """The second step of signing in: a code of an app, or one kept for emergencies."""


class ReauthenticateForm(ReadsTyped, second_step.ReauthenticateForm):
    """The same before something important."""


class ActivateAppForm(ReadsTyped, authenticator.ActivateTOTPForm):
    """The first code of an app that is set up."""
