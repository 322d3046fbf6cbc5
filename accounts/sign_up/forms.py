"""allauth's forms, reading what was typed or pasted as every form of the shop does."""

from allauth.account import forms as account
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp import forms as authenticator

from accounts.typed_forms import ReadsTyped


class LoginForm(ReadsTyped, account.LoginForm):
    """Signing in."""


class SignupForm(ReadsTyped, account.SignupForm):
    """Signing up."""


class AddEmailForm(ReadsTyped, account.AddEmailForm):
    """Another address of one's own."""


class ChangeEmailForm(ReadsTyped, account.ChangeEmailForm):
    """The right address, where a mistyped one has not been verified yet."""


class ResetPasswordForm(ReadsTyped, account.ResetPasswordForm):
    """Asking for a new password."""


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
