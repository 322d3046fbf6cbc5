"""Samples of the letters about an account itself: those of the sign-in, of downloads, of the account's end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import SupportVisit, User
from accounts.sign_up.adapter import AccountAdapter
from notifications.kinds import SECURITY
from notifications.samples import Sample
from privacy.deletion.letters import body_of, body_when_deleted
from privacy.exports.operations import body_when_ready
from privacy.models import AccountDeletion

WHEN = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
LINK = f"{settings.SITE_URL}/accounts/sample-link/"
# What allauth tells of a change.
OF_A_CHANGE = {"timestamp": WHEN, "ip": "203.0.113.24", "user_agent": "Firefox, Windows"}


class _Kept(AccountAdapter):
    """The adapter of the sign-in, which keeps its mail instead of sending it."""

    def deliver(self, message: EmailMessage) -> None:
        self.message = message


def _of_sign_in(prefix: str, **context: Any) -> Callable[[User], tuple[str, str]]:
    def make(reader: User) -> tuple[str, str]:
        adapter = _Kept()
        adapter.send_mail(prefix, reader.email, {"user": reader, "email": reader.email, **context})
        return str(adapter.message.subject), str(adapter.message.body)

    return make


def _account_changed(reader: User) -> tuple[str, str]:
    change = gettext("The goods of order #%(number)s were opened.") % {"number": 1042}
    return _of_sign_in("accounts/mail/account_changed", change=change, **OF_A_CHANGE)(reader)


def _support_looked(reader: User) -> tuple[str, str]:
    visit = SupportVisit(user=reader, began_at=WHEN, reason="Order #1042 looks stuck to its buyer")
    return _of_sign_in("accounts/mail/support_looked", visit=visit)(reader)


def _deletion(template: str, subject: str | Promise) -> Callable[[User], tuple[str, str]]:
    def make(reader: User) -> tuple[str, str]:
        deletion = AccountDeletion(
            pk=0,
            user=reader,
            requested_at=WHEN,
            due_at=WHEN + timedelta(days=7),
            obstacle=gettext("There is money in your balance."),
        )
        return str(subject), body_of(deletion, template)

    return make


def _deleted(reader: User) -> tuple[str, str]:
    return gettext("Your account has been deleted"), body_when_deleted()


def _download(reader: User) -> tuple[str, str]:
    return gettext("Your data is ready to download"), body_when_ready()


def _sample(name: str, title: str | Promise, make: Callable[[User], tuple[str, str]]) -> Sample:
    return Sample(name, SECURITY, title, make)


_MOVED = {"from_email": "before@example.com", "to_email": "reader@example.com", "undo_url": LINK}
SAMPLES = [
    _sample(
        "confirm-sign-up",
        _("Confirm the address, at sign-up"),
        _of_sign_in("account/email/email_confirmation_signup", activate_url=LINK, key="sample"),
    ),
    _sample(
        "confirm-address",
        _("Confirm another address"),
        _of_sign_in("account/email/email_confirmation", activate_url=LINK, key="sample"),
    ),
    _sample(
        "new-password",
        _("Choose a new password"),
        _of_sign_in("account/email/password_reset_key", password_reset_url=LINK),
    ),
    _sample(
        "invitation", _("An account that staff made"), _of_sign_in("accounts/mail/invitation", password_reset_url=LINK)
    ),
    _sample(
        "known-address",
        _("Sign-up with an address that has an account"),
        _of_sign_in("account/email/account_already_exists", password_reset_url=LINK, signup_url=LINK),
    ),
    _sample(
        "unknown-address",
        _("New password for an address without an account"),
        _of_sign_in("account/email/unknown_account", signup_url=LINK),
    ),
    _sample(
        "password-changed",
        _("The password was changed"),
        _of_sign_in("account/email/password_changed", **OF_A_CHANGE),
    ),
    _sample(
        "address-changed",
        _("The address was changed"),
        _of_sign_in("account/email/email_changed", **_MOVED, **OF_A_CHANGE),
    ),
    _sample(
        "second-factor",
        _("An authenticator app was added"),
        _of_sign_in("mfa/email/totp_activated", **OF_A_CHANGE),
    ),
    _sample("account-changed", _("Something about the account was changed or opened"), _account_changed),
    _sample("support-looked", _("Support looked at the shop as the customer"), _support_looked),
    _sample("download-ready", _("A download of everything is ready"), _download),
    _sample(
        "deletion-requested",
        _("The account will be deleted"),
        _deletion("deletion_requested", _("Your account will be deleted")),
    ),
    _sample(
        "deletion-waits",
        _("The deletion has to wait"),
        _deletion("deletion_waits", _("Your account can't be deleted yet")),
    ),
    _sample(
        "deletion-undone", _("The account stays"), _deletion("deletion_undone", _("Your account will not be deleted"))
    ),
    _sample("deleted", _("The account has been deleted"), _deleted),
]
