"""Telling people that something about their account has changed: at their address, and at one they had until lately."""

from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import CustomerRequest
from accounts.models import EmailChange, User

TOLD_OF_GOODS = "told_of_goods_at"
# So long the old address hears of everything and may have itself put back.
UNDO_WITHIN = timedelta(hours=72)


def tell_of_change(user: User, change: str, *, by_staff: bool = False) -> None:
    """Mail the customer what has just been changed, in a sentence, with when and from where.

    Where staff works is kept to itself: with `by_staff` only when.
    """
    where = {"ip": "", "user_agent": ""} if by_staff else {}
    get_adapter().send_notification_mail("accounts/mail/account_changed", user, {"change": change, **where})


def last_confirmed_at(request: HttpRequest) -> float:
    """Return when whoever is signed in has last confirmed who they are, in seconds of the epoch; 0.0 for never."""
    records = get_authentication_records(request, request.user)
    return max((float(record["at"]) for record in records if record.get("reauthenticated")), default=0.0)


def tell_of_goods(request: CustomerRequest, number: int | str) -> None:
    """Mail the customer that goods were opened, once for each time somebody has confirmed who they are.

    A reseller opens fifty orders in a row; a thief has to confirm anew, and that is what the owner hears of.
    """
    confirmed_at = last_confirmed_at(request)
    if request.session.get(TOLD_OF_GOODS) == confirmed_at:
        return
    request.session[TOLD_OF_GOODS] = confirmed_at
    tell_of_change(request.user, _("The goods of order #%(number)s were opened.") % {"number": number})


def addresses_to_tell(user: User, *, now: datetime | None = None) -> list[str]:
    """Return the account's own address, and those that were until lately."""
    now = now or timezone.now()
    own = EmailAddress.objects.get_primary_email(user) or user.email
    lately = open_email_changes(now).filter(user=user)
    return list(dict.fromkeys([own, *lately.values_list("old_email", flat=True)]))


def open_email_changes(now: datetime) -> QuerySet[EmailChange]:
    """Return the changes of addresses that can still be undone."""
    return EmailChange.objects.filter(undone_at=None, changed_at__gt=now - UNDO_WITHIN)
