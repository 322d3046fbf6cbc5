"""The link that keeps an account: mailed to its addresses, and where a sign-in leads meanwhile. It does no more."""

from django.core import signing
from django.urls import reverse

from privacy.models import AccountDeletion

SALT = "privacy.deletion.links"


class LinkIsOver(Exception):
    """The link is not ours, the account was kept, or it is gone."""


def keep_path(deletion: AccountDeletion) -> str:
    """Return the path of the page that keeps the account. A later request has another link."""
    return reverse("privacy:keep", args=[signing.dumps(_what(deletion), salt=SALT)])


def deletion_of(token: str) -> AccountDeletion:
    """Return the pending deletion a link is about. Raises LinkIsOver."""
    try:
        what = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise LinkIsOver from None
    pending = AccountDeletion.objects.filter(state=AccountDeletion.State.PENDING).select_related("user")
    deletion = pending.filter(pk=what[0]).first()
    if deletion is None or what != _what(deletion):
        raise LinkIsOver
    return deletion


def _what(deletion: AccountDeletion) -> list[object]:
    return [deletion.pk, deletion.requested_at.isoformat()]
