"""What allauth tells of changes to an account's addresses."""

from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.security.email_changes import put_out_again, record_email_change
from accounts.security.notices import tell_of_change


def address_changed(
    sender: Any,
    *,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_further: Any,
) -> None:
    """Write the change down before its mails are written, one of which can undo it."""
    if from_email_address is not None and from_email_address.email != to_email_address.email:
        old, new = from_email_address.email, to_email_address.email
        record_email_change(user, old_email=old, new_email=new, now=timezone.now())


def address_added(sender: Any, *, user: User, email_address: EmailAddress, **_further: Any) -> None:
    """Tell the address the account has of the one that was added."""
    tell_of_change(user, _("The email address %(email)s was added.") % {"email": email_address.email})


def password_reset(sender: Any, *, user: User, **_further: Any) -> None:
    """Look once more after a thief who was put out: a request of theirs may have been under way."""
    put_out_again(user, now=timezone.now())
