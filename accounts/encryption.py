"""Secrets that must be readable again, such as delivered goods: kept in the database only sealed.

Fernet (AES-128-CBC with HMAC-SHA256): https://cryptography.io/en/latest/fernet/
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotUnseal(Exception):
    """None of FIELD_ENCRYPTION_KEYS opens this text: a key was taken away too early, or the text is damaged."""


def seal(text: str) -> str:
    """Return `text` sealed with the newest key, as ASCII; the same text sealed twice looks different."""
    return _keyring().encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Return the text in what `seal` made, with this or an older key. Raises CannotUnseal."""
    try:
        return _keyring().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotUnseal("none of FIELD_ENCRYPTION_KEYS opens it") from None


def is_sealed_with_the_newest_key(sealed: str) -> bool:
    """Whether `sealed` would still open if all keys but the newest were taken away."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def reseal(sealed: str) -> str:
    """Return the same secret sealed with the newest key. Raises CannotUnseal."""
    return seal(unseal(sealed))


def _keyring() -> MultiFernet:
    return _made_of(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _made_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
