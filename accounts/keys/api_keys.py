"""API keys: making, changing, rotating and stopping them, and finding whose a key is."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.fast_queries.reads import Prepared
from accounts.keys.allowed_networks import clean_networks, is_allowed
from accounts.keys.known_rows import known_row
from accounts.models import AccountBlock, ApiKey, CustomerGroup, User
from accounts.preferences import MAX_KEYS

KEY_BYTES = 32
LONGEST_KEY = 200  # what is longer was never ours and is not worth hashing
LONGEST_NAME = 80
SHOWN_CHARACTERS = 12
LIVE, TEST = "live_", "test_"
USE_IS_NOTED_EVERY = timedelta(minutes=1)
# What may be changed of a key later on; whether it is a test key is not among it.
CHANGEABLE = frozenset(
    {
        "name",
        "expires_at",
        "may_read",
        "may_order",
        "may_sms",
        "may_see_secrets",
        "daily_limit_micros",
        "allowed_addresses",
        "calls_per_minute",
        "bare_services",
        "numbers_as_text",
        "get_for_reads",
        "http_errors",
    }
)


class KeyRefused(Exception):
    """A key does not open anything here and now."""


class InvalidApiKey(KeyRefused):
    """The key is not known, revoked or expired, or its account is disabled."""


class AccountIsBlocked(InvalidApiKey):
    """The key is right, but its account is blocked; the text is what the customer is told, or empty."""


class AddressNotAllowed(KeyRefused):
    """The key is right, but may not be used from this address."""


class KeyIsRevoked(Exception):
    """The key has been revoked, or has expired; the first time stands."""


class KeyIsShown(Exception):
    """The key has been shown before; nobody can read it again."""


class TooManyKeys(Exception):
    """The customer has as many keys as anybody may have."""


def create_api_key(*, user: User, name: str, is_test: bool = False, **powers: Any) -> tuple[ApiKey, str]:
    """Give the customer a new key; return its row and the key's text, which can never be read again.

    `powers` are fields of ApiKey, as in `change_api_key`. Unless they say so, a key that may buy may also see what it
    has bought, and one that may only read may not. Raises ValueError without a name or for an address that is
    none, TooManyKeys.
    """
    text = _new_text(is_test)
    return _add_key(user, text, {**_cleaned({"name": name, **powers}), "is_test": is_test}), text


def prepare_api_key(*, user: User, name: str, is_test: bool = False, **powers: Any) -> ApiKey:
    """Give the customer a key that nobody has seen: they show it to themselves with `show_api_key`.

    Raises ValueError and TooManyKeys like `create_api_key`.
    """
    return _add_key(user, None, {**_cleaned({"name": name, **powers}), "is_test": is_test})


def show_api_key(api_key_id: int, *, user: User, now: datetime | None = None) -> str:
    """Return the text of the customer's own prepared key, once.

    Raises ApiKey.DoesNotExist for somebody else's, KeyIsShown for one that has been shown, KeyIsRevoked.
    """
    key = ApiKey.objects.get(pk=api_key_id, user=user)
    text = _new_text(key.is_test)
    unseen = ApiKey.objects.alive(now or timezone.now()).filter(pk=key.pk, prefix="")
    if not unseen.update(prefix=text[:SHOWN_CHARACTERS], key_sha256=_digest(text)):
        raise KeyIsShown(api_key_id) if key.prefix else KeyIsRevoked(api_key_id)
    return text


@transaction.atomic
def change_api_key(api_key_id: int, **powers: Any) -> None:
    """Change what a key is called and what it may do; see CHANGEABLE. It counts from the next call on.

    The daily limit is one with that of the keys it replaced or was replaced by. Raises ValueError for a name or address
    that is none, KeyIsRevoked.
    """
    if not ApiKey.objects.filter(pk=api_key_id, revoked_at=None).update(**_cleaned(powers)):
        raise KeyIsRevoked(api_key_id)
    if "daily_limit_micros" in powers:
        first = ApiKey.objects.get(pk=api_key_id).counted_at_id
        together = ApiKey.objects.filter(Q(pk=first) | Q(counts_with=first))
        together.update(daily_limit_micros=powers["daily_limit_micros"])


@transaction.atomic
def rotate_api_key(
    api_key_id: int, *, keep_old_for: timedelta, unseen: bool = False, now: datetime | None = None
) -> tuple[ApiKey, str]:
    """Replace a key by one that may do the same; return the new row and its text. The old one ends after a while.

    Both spend from one daily limit, as long as the old one lives. With `unseen` nobody gets the text: it is "", and the
    customer shows it to themselves later. Raises KeyIsRevoked, TooManyKeys.
    """
    now = now or timezone.now()
    ends_at = now + keep_old_for
    user_id = ApiKey.objects.values_list("user_id", flat=True).get(pk=api_key_id)
    _lock(user_id)
    old = ApiKey.objects.select_for_update().get(pk=api_key_id)
    if old.revoked_at or (old.expires_at and old.expires_at <= now):
        raise KeyIsRevoked(api_key_id)
    # The old key, which lives on for a while, does not count: a full list can be rotated too, once.
    _check_room(user_id, now, leaving=api_key_id)
    ApiKey.objects.filter(pk=old.pk).update(expires_at=min(old.expires_at or ends_at, ends_at))
    text = "" if unseen else _new_text(old.is_test)
    same = {field: getattr(old, field) for field in (*CHANGEABLE, "is_test")}
    return _row(old.user, text or None, {**same, "counts_with_id": old.counted_at_id}, now), text


def revoke_api_key(api_key_id: int, *, now: datetime | None = None) -> None:
    """Stop the key from working, for good. Raises KeyIsRevoked when it has been stopped before."""
    if not ApiKey.objects.filter(pk=api_key_id, revoked_at=None).update(revoked_at=now or timezone.now()):
        raise KeyIsRevoked(api_key_id)


def revoke_all_api_keys(user: User, *, now: datetime | None = None) -> int:
    """Stop every key of the customer; return how many worked until now."""
    return ApiKey.objects.filter(user=user, revoked_at=None).update(revoked_at=now or timezone.now())


def find_api_key(text: str, *, address: str | None, changes: bool = True, now: datetime | None = None) -> ApiKey:
    """Return the key that was shown from `address`, with its customer and their group: one query.

    For a call that `changes` nothing none, where this process asked within the last second (`known_rows`).

    The use is noted at most once a minute, so that a busy client does not write with every call.
    Raises InvalidApiKey, which is AccountIsBlocked for the key of a blocked account, AddressNotAllowed.
    """
    now = now or timezone.now()
    if not text or len(text) > LONGEST_KEY:
        raise InvalidApiKey
    key = _key_with_customer(_digest(text), changes=changes)
    if key is None:
        of_key = ApiKey.objects.alive(now).filter(key_sha256=_digest(text)).values("user")
        block = AccountBlock.objects.open().filter(user__in=of_key).first()
        raise InvalidApiKey if block is None else AccountIsBlocked(block.told)
    if key.expires_at and key.expires_at <= now:
        raise InvalidApiKey
    if not is_allowed(address, key.allowed_addresses):
        raise AddressNotAllowed
    if key.last_used_at is None or key.last_used_at < now - USE_IS_NOTED_EVERY:
        not_noted = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
        ApiKey.objects.filter(not_noted, pk=key.pk).update(last_used_at=now, last_used_from=address)
    return key


_KEY, _USER, _GROUP = (
    tuple(field.attname for field in model._meta.concrete_fields) for model in (ApiKey, User, CustomerGroup)
)
_alive = Prepared(
    lambda: (
        ApiKey.objects.filter(key_sha256="digest", user__is_active=True, revoked_at=None)
        .order_by()
        .values_list(*_KEY, *(f"user__{name}" for name in _USER), *(f"user__group__{name}" for name in _GROUP))
    ),
    example=("digest",),
)


def _key_with_customer(digest: str, *, changes: bool) -> ApiKey | None:
    """Return the key that is not revoked, with its customer and their group, as `select_related` would."""

    def read() -> tuple[Any, ...] | None:
        return next(iter(_alive.rows(digest)), None)

    row = read() if changes else known_row(digest, read)
    if row is None:
        return None
    # Made anew for each call, which may change them.
    key, user = row[: len(_KEY)], row[len(_KEY) : len(_KEY) + len(_USER)]
    group = row[len(_KEY) + len(_USER) :]
    found = ApiKey.from_db(DEFAULT_DB_ALIAS, _KEY, key)
    found.user = User.from_db(DEFAULT_DB_ALIAS, _USER, user)
    if found.user.group_id is not None:
        found.user.group = CustomerGroup.from_db(DEFAULT_DB_ALIAS, _GROUP, group)
    return found


def _cleaned(powers: dict[str, Any]) -> dict[str, Any]:
    if unknown := set(powers) - CHANGEABLE:
        raise TypeError(f"not changeable: {sorted(unknown)}")
    cleaned = dict(powers)
    if "name" in cleaned:
        cleaned["name"] = cleaned["name"].strip()[:LONGEST_NAME]
        if not cleaned["name"]:
            raise ValueError("a key needs a name")
    if "allowed_addresses" in cleaned:
        cleaned["allowed_addresses"] = clean_networks(cleaned["allowed_addresses"])
    return cleaned


def _new_text(is_test: bool) -> str:
    return (TEST if is_test else LIVE) + secrets.token_hex(KEY_BYTES)


@transaction.atomic
def _add_key(user: User, text: str | None, fields: dict[str, Any]) -> ApiKey:
    now = timezone.now()
    buys = fields.get("may_order", True) or fields.get("may_sms", True)
    fields = {"may_see_secrets": buys, **fields}
    _lock(user.pk)
    _check_room(user.pk, now)
    return _row(user, text, fields, now)


def _row(user: User, text: str | None, fields: dict[str, Any], now: datetime) -> ApiKey:
    return ApiKey.objects.create(
        user=user,
        prefix=(text or "")[:SHOWN_CHARACTERS],
        # Of a key that nobody has seen yet nobody knows the text either.
        key_sha256=_digest(text or secrets.token_hex(KEY_BYTES)),
        created_at=now,
        **fields,
    )


def _lock(user_id: int) -> None:
    # Two new keys at once would each see room for one.
    User.objects.select_for_update().get(pk=user_id)


def _check_room(user_id: int, now: datetime, *, leaving: int = 0) -> None:
    if ApiKey.objects.alive(now).filter(user=user_id).exclude(pk=leaving).count() >= MAX_KEYS.value:
        raise TooManyKeys(MAX_KEYS.value)


def _digest(text: str) -> str:
    # "surrogatepass": JSON can spell half a character, and a key made of those is merely wrong.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
