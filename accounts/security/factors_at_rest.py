"""Second factors as the database keeps them: what opens an account is encrypted, like every secret that is read again.

Seeds of authenticator apps and of recovery codes. A passkey's row holds its public half, which opens nothing.
"""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.encryption import decrypt, encrypt, is_encrypted_with_newest_key, reencrypt

# The library's names of what is secret in a row, by type; codes that another shop made are a list.
SECRETS = {"totp": ("secret",), "recovery_codes": ("seed", "migrated_codes")}
TOKEN = "gAAAA"  # noqa: S105 - how every text of Fernet begins; no seed has a small and a large letter both


def encrypt_factors(model: Any = Authenticator) -> int:
    """Encrypt what stands there in the clear; return how many rows did. Idempotent."""
    return _rewrite(model, lambda text: text if is_encrypted(text) else encrypt(text))


def decrypt_factors(model: Any = Authenticator) -> int:
    """Write every secret in the clear, as earlier versions read it. Raises CannotDecrypt."""
    return _rewrite(model, lambda text: decrypt(text) if is_encrypted(text) else text)


def reencrypt_factors() -> int:
    """Encrypt with the newest key what an older one did, or none; return how many rows. Raises CannotDecrypt."""

    def anew(text: str) -> str:
        if not is_encrypted(text):
            return encrypt(text)
        return text if is_encrypted_with_newest_key(text) else reencrypt(text)

    return _rewrite(Authenticator, anew)


def is_encrypted(text: str) -> bool:
    """Whether a secret is encrypted already, with whatever key."""
    return text.startswith(TOKEN)


def _rewrite(model: Any, rewritten: Callable[[str], str]) -> int:
    """Rewrite the secrets of every row, under its lock: a code that is used meanwhile stays used."""
    count = 0
    for pk in list(model.objects.filter(type__in=SECRETS).values_list("pk", flat=True)):
        with transaction.atomic():
            row = model.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            before = dict(row.data)
            for name in SECRETS[row.type]:
                if isinstance(value := row.data.get(name), str):
                    row.data[name] = rewritten(value)
                elif value:
                    row.data[name] = [rewritten(one) for one in value]
            if row.data != before:
                row.save(update_fields=["data"])
                count += 1
    return count
