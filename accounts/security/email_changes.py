"""An e-mail address that was changed, and the way back: a link in a mail to the old address, good for three days, once.

Who has stolen a session may have changed the address to take the account for good. Undoing it puts everything that may
have been the thief's out of use: the address, the sessions, the password, all keys (one of long ago may have been
shown to them, or may do more than it did), and second factors made since, or shortly before: a thief sets up a passkey
first.
"""

from collections.abc import Callable
from datetime import datetime

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.keys.api_keys import revoke_all_api_keys
from accounts.models import EmailChange, User
from accounts.operations import change_email
from accounts.security.notices import UNDO_WITHIN, open_email_changes
from accounts.security.sessions import end_all_sessions

SALT = "accounts.security.email_changes"
Undoing = Callable[[User, datetime], None]
_further: list[Undoing] = []


class CannotUndo(Exception):
    """The link is not ours, too old, or has been used."""


def when_undone(further: Undoing) -> None:
    """Let another app put out of use what it made for the account since a moment; part of the undoing's transaction."""
    _further.append(further)


def record_email_change(user: User, *, old_email: str, new_email: str, now: datetime) -> EmailChange:
    """Write down that the address became another one.

    An address that came lately itself gets no way back: where the owner has put a thief's out by hand, that one's link
    would outlive the owner's. Whoever had the address before has a link that undoes both.
    """
    came_lately = open_email_changes(now).filter(user=user, new_email=old_email).exists()
    return EmailChange.objects.create(
        user=user, old_email=old_email, new_email=new_email, changed_at=now, undone_at=now if came_lately else None
    )


@transaction.atomic
def move_account(user: User, *, old_email: str, new_email: str, request: HttpRequest) -> None:
    """Give the account another address as an owner of the shop asks; as if its customer had done so.

    Both addresses are told, and the old one can undo it. They hear of no address or browser: those would be staff's.
    """
    change_email(user, new_email)
    new = EmailAddress.objects.get(user=user, email=user.email)
    old = EmailAddress(user=user, email=old_email)
    with translation.override(user.mail_language):
        email_changed.send(EmailAddress, request=request, user=user, from_email_address=old, to_email_address=new)
        told = {"from_email": old_email, "to_email": new.email, "ip": "", "user_agent": _("the shop’s staff")}
        get_adapter().send_notification_mail("account/email/email_changed", user, told, email=old_email)


def undo_url(change: EmailChange) -> str:
    """Return the link that undoes a change, for a mail to the old address alone."""
    token = signing.dumps(change.pk, salt=SALT)
    return settings.SITE_URL + reverse("undo_email_change", args=[token])


def change_of(token: str, *, now: datetime) -> EmailChange:
    """Return the change a link is about, while it can be undone. Raises CannotUndo."""
    try:
        change_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise CannotUndo from None
    change = open_email_changes(now).select_related("user").filter(pk=change_id).first()
    if change is None:
        raise CannotUndo
    return change


def is_needed_for_undoing(address: EmailAddress, *, now: datetime) -> bool:
    """Whether this was the account's address until lately: it stays with the account, so that nobody else takes it."""
    return open_email_changes(now).filter(user=address.user_id, old_email=address.email).exists()


@transaction.atomic
def undo_email_change(token: str, *, now: datetime) -> User:
    """Put the old address back and everybody out; return the customer, who needs a new password. Raises CannotUndo."""
    change = change_of(token, now=now)
    user = User.objects.select_for_update().get(pk=change.user_id)
    if not EmailChange.objects.filter(pk=change.pk, undone_at=None).update(undone_at=now):
        raise CannotUndo
    # Later changes led away from addresses that may be the thief's: their links must not lead back there.
    EmailChange.objects.filter(user=user, undone_at=None, changed_at__gte=change.changed_at).update(undone_at=now)
    EmailAddress.objects.filter(user=user).exclude(email=change.old_email).delete()
    try:
        with transaction.atomic():
            EmailAddress.objects.update_or_create(
                user=user, email=change.old_email, defaults={"verified": True, "primary": True}
            )
            user.email = change.old_email
            user.set_unusable_password()
            user.save(update_fields=["email", "password"])
    except IntegrityError:  # staff has given the address to somebody else
        raise CannotUndo from None
    _put_out(user, factors_since=change.changed_at - UNDO_WITHIN, since=change.changed_at, now=now)
    end_all_sessions(user)
    return user


@transaction.atomic
def put_out_again(user: User, *, now: datetime) -> None:
    """Put out of use what requests that were under way have made since the old address was put back.

    To be called once there is a new password: until then nobody signs in, and nothing that was made is the owner's.
    """
    undone = EmailChange.objects.filter(user=user, old_email=user.email, undone_at__gt=now - UNDO_WITHIN)
    undone_at = undone.aggregate(last=Max("undone_at"))["last"]
    if undone_at is None or (user.last_login is not None and user.last_login > undone_at):
        return
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    _put_out(user, factors_since=undone_at, since=undone_at, now=now)


def _put_out(user: User, *, factors_since: datetime, since: datetime, now: datetime) -> None:
    revoke_all_api_keys(user, now=now)
    Authenticator.objects.filter(user=user, created_at__gte=factors_since).delete()
    for further in _further:
        further(user, since)
