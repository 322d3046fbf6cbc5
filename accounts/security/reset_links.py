"""Staff never sets anybody's password: they have a link mailed, by which its owner chooses one.

Every link is on the trail, and those of the last hour there are what is counted: the limit holds whatever else is away.
"""

from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import TrailEntry, User
from accounts.rights import may_touch_account
from accounts.trail import Action, record

WITHIN = timedelta(hours=1)
MOST_TO_ONE = 3  # an account
MOST_BY_ONE = 30  # member of staff
SENT = {"sent": "link to set a password"}


class CannotSendLink(Exception):
    """No link was sent; the text says why, to staff."""


@transaction.atomic
def send_reset_link(user: User, *, by: User, request: HttpRequest, now: datetime) -> None:
    """Mail the account a link by which a new password is set; the old one works until then. Raises CannotSendLink."""
    user = _may_be_sent(user, by, now)
    with translation.override(user.mail_language):
        request_password_reset(request, user.email, [user], EmailAwarePasswordResetTokenGenerator())
    record(Action.ACTED, actor=by, target=user, request=request, after=SENT, now=now)


@transaction.atomic
def invite(user: User, *, by: User, request: HttpRequest, now: datetime) -> None:
    """Mail whoever staff has made an account for the link by which they set its password. Raises CannotSendLink."""
    user = _may_be_sent(user, by, now)
    key = EmailAwarePasswordResetTokenGenerator().make_token(user)
    url = get_adapter().get_reset_password_from_key_url(f"{user_pk_to_url_str(user)}-{key}")
    with translation.override(user.mail_language):
        get_adapter().send_mail("accounts/mail/invitation", user.email, {"user": user, "password_reset_url": url})
    record(Action.ACTED, actor=by, target=user, request=request, after=SENT, now=now)


def _may_be_sent(user: User, by: User, now: datetime) -> User:
    """Return the account as it is, locked with who asks: of several links at once each counts those before it."""
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=(user.pk, by.pk)).order_by("pk")
    user = {one.pk: one for one in locked}[user.pk]
    if not may_touch_account(by, user):
        raise CannotSendLink(_("This account has more rights than you."))
    if not user.is_active:
        raise CannotSendLink(_("This account is switched off: nobody can sign in to it."))
    sent = TrailEntry.objects.filter(created_at__gt=now - WITHIN, action=Action.ACTED, after__sent=SENT["sent"])
    if sent.filter(target_type=User._meta.label, target_id=str(user.pk)).count() >= MOST_TO_ONE:
        raise CannotSendLink(_("This account has been sent enough links. Try again in an hour."))
    if sent.filter(actor_id=by.pk).count() >= MOST_BY_ONE:
        raise CannotSendLink(_("You have sent enough links. Try again in an hour."))
    return user
