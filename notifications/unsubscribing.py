"""The address in a mail by which its reader, or their mail program, turns off mails of its kinds: RFC 8058.

It is signed, not stored: it names a customer and kinds, opens no account and says nothing of one. SECRET_KEY_FALLBACKS
keep the addresses of old mails good when SECRET_KEY is changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from accounts.models import User
from notifications.kinds import Kind, to_turn_off

SALT = "notifications.unsubscribing"
_AND = "-"


class NotOurLink(Exception):
    """Nobody signed this, or what it names is not there."""


@dataclass(frozen=True)
class Unsubscribing:
    """Who would get no more mails, and of which kinds; `user` is None where the account is gone."""

    user: User | None
    kinds: list[Kind]


def unsubscribe_url(user: User, kinds: Iterable[str]) -> str:
    """Return the whole address that turns off mails of these kinds; "" where none of them can be turned off."""
    names = [kind.name for kind in to_turn_off(kinds)]
    if not names:
        return ""
    token = _signer().sign(f"{user.pk}.{_AND.join(names)}")
    return settings.SITE_URL + reverse("notices:unsubscribe", args=[token])


def what_it_turns_off(token: str) -> Unsubscribing:
    """Return what the address with this token is about. Raises NotOurLink."""
    try:
        user_id, names = _signer().unsign(token).split(".")
    except (BadSignature, ValueError):
        raise NotOurLink from None
    kinds = to_turn_off(names.split(_AND))
    if not kinds:  # of a version that had others
        raise NotOurLink
    return Unsubscribing(User.objects.filter(pk=user_id, is_active=True).first(), kinds)


def _signer() -> Signer:
    return Signer(salt=SALT, sep="~")
