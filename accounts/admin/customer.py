"""What accounts itself shows on a customer's page: that they are signed in, and their keys.

Where somebody is signed in is for nobody but them to see; how many browsers are, and when one was seen last, tells a
forgotten account from one in use.
"""

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Count, Exists, Max, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.admin.blocks import Block, Row
from accounts.admin.customer_blocks import NEWEST, shows_of_customers
from accounts.models import ApiKey, User
from accounts.moments import write_distance, write_moment
from accounts.security.blocking import open_block_of


@shows_of_customers("accounts.user", place=0)
def blocked(user: User, request: HttpRequest) -> Block | None:
    """Say why a blocked account is blocked; one statement for one that is not active."""
    block = None if user.is_active else open_block_of(user)
    if block is None:
        return None
    return Block(
        _("Blocked"),
        [
            (_("Reason"), block.reason),
            (_("What the customer is told"), block.told or _("only that the account is blocked")),
            (_("Since"), write_moment(block.begun_at)),
            (_("By"), str(block.begun_by or "")),
        ],
    )


@shows_of_customers("accounts.user", place=70)
def signed_in(user: User, request: HttpRequest) -> Block:
    """Say how many browsers are signed in; one statement."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    found = UserSession.objects.filter(Exists(alive), user=user).aggregate(count=Count("pk"), seen=Max("last_seen_at"))
    return Block(
        _("Signed in"),
        [
            (_("Browsers"), number_format(found["count"])),
            (_("Last seen"), write_moment(found["seen"]) if found["seen"] else ""),
            (_("Last sign-in"), write_moment(user.last_login) if user.last_login else _("never")),
            (_("Language"), user.mail_language),
        ],
    )


@shows_of_customers("accounts.apikey", place=80)
def api_keys(user: User, request: HttpRequest) -> Block:
    """Show the keys that were made last; one statement."""
    now = timezone.now()
    newest = list(ApiKey.objects.filter(user=user).order_by("-created_at", "-pk")[:NEWEST])
    rows = [
        Row(str(key), _last_used(key, now) if key.is_alive(now) else _("no longer valid"),
            reverse("admin:accounts_apikey_change", args=[key.pk]))
        for key in newest
    ]  # fmt: skip
    every = f"{reverse('admin:accounts_apikey_changelist')}?user__id__exact={user.pk}" if newest else ""
    return Block(_("API keys"), [] if rows else [(_("Keys"), _("none"))], rows=rows, all_link=every)


def _last_used(key: ApiKey, now: datetime) -> str:
    return write_distance(key.last_used_at, now=now) if key.last_used_at else _("never used")
