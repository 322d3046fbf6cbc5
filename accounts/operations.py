"""Everything that changes an account: its API keys and its e-mail address."""

import hashlib
import secrets
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, User

KEY_BYTES = 32
LONGEST_KEY = 200  # what is longer was never ours and is not worth hashing
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class KeyIsRevoked(Exception):
    """The key has been revoked before; the time of the first revocation stands."""


def create_api_key(*, user: User, name: str) -> tuple[ApiKey, str]:
    """Give the customer a new key; return its row and the key's text, which can never be read again.

    Raises ValueError without a name.
    """
    if not name.strip():
        raise ValueError("a key needs a name")
    text = secrets.token_hex(KEY_BYTES)
    key = ApiKey.objects.create(
        user=user, name=name.strip()[:80], prefix=text[:8], key_sha256=_digest(text), created_at=timezone.now()
    )
    return key, text


def user_for_api_key(text: str, *, now: datetime | None = None) -> User | None:
    """Return the customer this key speaks for, with the group loaded; None for a wrong, revoked or disabled one.

    The use is noted at most once a minute, so that a busy client does not write with every call.
    """
    if not text or len(text) > LONGEST_KEY:
        return None
    key = (
        ApiKey.objects.select_related("user__group")
        .filter(key_sha256=_digest(text), revoked_at=None, user__is_active=True)
        .first()
    )
    if key is None:
        return None
    now = now or timezone.now()
    not_noted = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
    if key.last_used_at is None or key.last_used_at < now - USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(not_noted, pk=key.pk).update(last_used_at=now)
    return key.user


def revoke_api_key(api_key_id: int, *, now: datetime | None = None) -> None:
    """Stop the key from working, for good. Raises KeyIsRevoked when it has been stopped before."""
    alive = ApiKey.objects.filter(pk=api_key_id, revoked_at=None)
    if not alive.update(revoked_at=now or timezone.now()):
        raise KeyIsRevoked(api_key_id)


def choose_mail(user: User, *, wants_mail: bool, wants_price_mail: bool) -> None:
    """Send the customer e-mails about orders, or no more; what was not sent yet is not sent either."""
    user.wants_mail = wants_mail
    user.wants_price_mail = wants_price_mail
    user.save(update_fields=["wants_mail", "wants_price_mail"])


def remember_language(user: User, language: str) -> None:
    """Write to the customer in this language from now on; writes only when it is another one."""
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])


@transaction.atomic
def change_email(user: User, email: str) -> None:
    """Give the account another e-mail address; the old one stops working for sign-in, the new one is to be verified."""
    user.email = email.lower()
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"primary": True})


def _digest(text: str) -> str:
    # "surrogatepass": JSON can spell half a character, and a key made of those is merely wrong.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
