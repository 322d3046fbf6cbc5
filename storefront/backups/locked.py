"""Locking a stream for its owner, and opening it: the age format (https://age-encryption.org/v1), by pyrage.

age because it is made for this: a stream of any length in pieces that are each authenticated and bound to their place,
so a cut or changed file never opens; public keys, so the machine that takes backups cannot read them; and a file that
`age -d` opens on any machine, without this shop. Nothing of it is our own.
"""

import hashlib
from pathlib import Path
from typing import IO, Any

import pyrage

from storefront.backups.places import BackupFailed


class Counted:
    """A file that is written to, with the size and SHA-256 of what went through; keeps what went wrong."""

    def __init__(self, file: Any) -> None:
        self._file, self._digest = file, hashlib.sha256()
        self.size_bytes = 0
        self.failed: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            self._file.write(data)
        except BaseException as error:  # pyrage gives on nothing but its text
            self.failed = error
            raise
        self._digest.update(data)
        self.size_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Whoever owns the file flushes it."""

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def lock(source: IO[bytes], target: Counted, recipients: tuple[str, ...]) -> None:
    """Encrypt a stream to its end, for any of the recipients to open. Raises what reading and writing raise."""
    try:
        pyrage.encrypt_io(source, target, [pyrage.x25519.Recipient.from_str(text) for text in recipients])
    except (pyrage.EncryptError, OSError):
        if target.failed is not None:
            raise target.failed from None
        raise


def unlock(source: Any, target: Any, identities: list[Any]) -> None:
    """Decrypt a stream to its end. Raises BackupFailed where no key fits or a part of it is damaged or missing.

    What was written until then is not to be believed.
    """
    counted = Counted(target)
    try:
        pyrage.decrypt_io(source, counted, identities)
    except pyrage.DecryptError as error:
        raise BackupFailed(f"It cannot be decrypted with this key: {error}.") from error
    except OSError as error:
        if counted.failed is not None:
            raise counted.failed from None
        raise BackupFailed("It is damaged: a part of it is missing or was changed.") from error


def read_identities(path: Path | None) -> list[Any]:
    """Return the secret keys in a file like those of age-keygen: one a line, lines that begin with # left out.

    Raises BackupFailed.
    """
    if path is None:
        raise BackupFailed("The secret key is needed: --identity FILE, or BACKUP_IDENTITY_FILE.")
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except OSError as error:
        raise BackupFailed(f"{path} cannot be read: {error.strerror}.") from error
    except pyrage.IdentityError:
        raise BackupFailed(f"{path} holds no secret key of age (AGE-SECRET-KEY-…).") from None
    if not found:
        raise BackupFailed(f"{path} holds no secret key of age (AGE-SECRET-KEY-…).")
    return found


def new_key() -> tuple[str, str]:
    """Make a pair of keys; return the secret and the public part."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())
