"""Secrets that must be readable again, such as delivered goods: kept in the database only encrypted.

Fernet (AES-128-CBC with HMAC-SHA256): https://cryptography.io/en/latest/fernet/
"""

import re
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import QuerySet

ROWS_AT_ONCE = 500
# Version, time, a vector, one block at least and the signature, in base64. Source: the specification of Fernet.
TOKEN = re.compile(r"gAAAAA[A-Za-z0-9_-]{92,}={0,2}")


class CannotDecrypt(Exception):
    """None of FIELD_ENCRYPTION_KEYS opens this text: a key was taken away too early, or the text is damaged."""


def encrypt(text: str) -> str:
    """Return `text` encrypted with the newest key, as ASCII; the same text encrypted twice looks different."""
    return _keyring().encrypt(text.encode()).decode("ascii")


def decrypt(encrypted: str) -> str:
    """Return the text in what `encrypt` made, with this or an older key. Raises CannotDecrypt."""
    try:
        return _keyring().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt("none of FIELD_ENCRYPTION_KEYS opens it") from None


def looks_encrypted(text: str) -> bool:
    """Whether `text` has the shape of what `encrypt` makes, whatever key may open it."""
    return TOKEN.fullmatch(text) is not None


def is_encrypted_with_newest_key(encrypted: str) -> bool:
    """Whether `encrypted` would still open if all keys but the newest were taken away."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(encrypted.encode())
    except InvalidToken:
        return False
    return True


def reencrypt(encrypted: str) -> str:
    """Return the same secret encrypted with the newest key. Raises CannotDecrypt."""
    return encrypt(decrypt(encrypted))


def reencrypt_column(rows: QuerySet[Any], column: str) -> int:
    """Encrypt this column of these rows with the newest key where an older one did; return how many.

    A row that changes meanwhile is left to whoever changed it, who had the newest key. Raises CannotDecrypt.
    """
    count = 0
    for pk, text in rows.exclude(**{column: ""}).values_list("pk", column).iterator(chunk_size=ROWS_AT_ONCE):
        if not is_encrypted_with_newest_key(text):
            unchanged = rows.filter(**{"pk": pk, column: text})
            count += unchanged.update(**{column: reencrypt(text)})
    return count


def _keyring() -> MultiFernet:
    return _made_of(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _made_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
