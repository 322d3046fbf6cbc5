"""Bringing a backup back into an empty database, after all of it was proved."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from django.utils import timezone

from storefront.backups.locked import unlock
from storefront.backups.names import NOTE
from storefront.backups.places import BackupFailed, Place
from storefront.backups.take import PIECE_BYTES, engine
from storefront.models import Backup

UNDER_WAY = "was being taken when this database was dumped"


def check_empty() -> None:
    """Raise BackupFailed where the database holds tables: what is in it would be mixed with what comes back."""
    tables = engine().holds()
    if tables:
        raise BackupFailed(
            f"The database is not empty: it has {len(tables)} tables, {tables[0]} among them. Nothing was touched. "
            "Make an empty one beside it, and name it in DATABASE_URL and MIGRATION_DATABASE_URL."
        )


def prove(place: Place, name: str, identities: list[Any]) -> bool:
    """Read a backup to its end without touching the database: checksum, decryption, and whether it can be brought back.

    Return whether there was a note with the checksum; without it the decryption alone proves that nothing was changed.
    Raises BackupFailed.
    """
    noted = _noted(place, name)
    if noted is not None:
        digest = hashlib.sha256()
        with place.reading(name) as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
        if digest.hexdigest() != noted:
            raise BackupFailed(f"{name} is damaged: its SHA-256 is not the one in {name}{NOTE}.")
    with tempfile.TemporaryDirectory(prefix="shop-restore-") as folder:
        _check_kind(name)
        with place.reading(name) as file, engine().proving(Path(folder)) as proof:
            unlock(file, proof, identities)
    return noted is not None


def bring_back(place: Place, name: str, identities: list[Any]) -> None:
    """Put a backup into the database, all of it or nothing. Raises BackupFailed.

    Prove it before, and see that the database is empty.
    """
    with (
        tempfile.TemporaryDirectory(prefix="shop-restore-") as folder,
        place.reading(name) as file,
        engine().restoring(Path(folder)) as database,
    ):
        unlock(file, database, identities)


def end_backup_under_way() -> None:
    """The backup that was brought back was under way when it was dumped: say so, and let others begin."""
    Backup.objects.filter(finished_at=None).update(finished_at=timezone.now(), error=UNDER_WAY)


def _noted(place: Place, name: str) -> str | None:
    try:
        with place.reading(name + NOTE) as file:
            note = json.loads(file.read())
    except BackupFailed:
        return None
    except ValueError:
        raise BackupFailed(f"{name}{NOTE} cannot be read. Put it away if only the note is damaged.") from None
    return str(note.get("sha256", "")) if isinstance(note, dict) else ""


def _check_kind(name: str) -> None:
    ending = engine().ENDING
    if f".{ending}." not in name:
        raise BackupFailed(f"{name} is of another kind of database than DATABASE_URL names (.{ending}.age is wanted).")
