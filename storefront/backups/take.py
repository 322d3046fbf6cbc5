"""Taking a backup: dumped, locked and put away in one stream, read again where it lies, older ones taken away."""

import hashlib
import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from catalog.sync.run_lock import holder_is_gone, lock_holder_here
from storefront import __version__
from storefront.backups import postgresql, sqlite
from storefront.backups.locked import Counted, lock
from storefront.backups.names import NOTE, kept, moment_of, name_of
from storefront.backups.places import BackupFailed, Place, place_of
from storefront.models import Backup

log = structlog.get_logger(__name__)
PIECE_BYTES = 1024 * 1024
GIVEN_UP_AFTER = timedelta(hours=12)
ROWS_KEPT = timedelta(days=400)


def engine() -> Any:
    """Return the module that dumps and restores the database in use."""
    return postgresql if connection.vendor == "postgresql" else sqlite


def take_backup(*, now: datetime) -> Backup:
    """Make a backup at the place in the settings and return its row, finished and verified.

    Raises BackupFailed, whatever went wrong; the row says so, too, and nothing that looks like a backup is left.
    """
    place = place_of(settings.BACKUPS)
    row = _begin(place, now)
    try:
        with tempfile.TemporaryDirectory(prefix="shop-backup-") as folder:
            size_bytes, sha256 = _write(place, row.name, Path(folder), now)
        _verify(place, row.name, size_bytes, sha256)
    except Exception as error:
        text = str(error) if isinstance(error, BackupFailed) else f"{type(error).__name__}: {error}"
        log.error("backup_failed", place=str(place), error=text)
        _note(row, finished_at=timezone.now(), error=text[:500])
        if isinstance(error, BackupFailed):
            raise
        raise BackupFailed(text) from error
    finished_at = timezone.now()
    _note(row, finished_at=finished_at, verified_at=finished_at, size_bytes=size_bytes, sha256=sha256)
    log.info("backup_taken", place=str(place), name=row.name, size_bytes=size_bytes)
    try:
        rotate(place)
    except BackupFailed as error:  # a key that may only write is no reason to call a good backup a bad one
        log.warning("backups_not_rotated", place=str(place), error=str(error))
    Backup.objects.filter(started_at__lt=now - ROWS_KEPT).delete()
    row.refresh_from_db()
    return row


def rotate(place: Place) -> list[str]:
    """Remove the backups that are not kept any more, and return their names. What has no name of ours stays."""
    rules, names = settings.BACKUPS, place.names()
    ours = [name for name in names if moment_of(name)]
    stays = kept(ours, daily=rules.daily, weekly=rules.weekly, monthly=rules.monthly)
    gone = [name for name in ours if name not in stays]
    for name in gone:
        place.delete(name)
        place.delete(name + NOTE)
    # A note is written before its backup: one that stands alone is of a backup that was never finished.
    notes = {name for name in names if name.endswith(NOTE) and moment_of(name.removesuffix(NOTE))}
    newest = max(ours, default="")
    for name in notes:
        if name.removesuffix(NOTE) not in ours and name < newest:
            place.delete(name)
    return gone


def _begin(place: Place, now: datetime) -> Backup:
    for other in Backup.objects.filter(finished_at=None):
        if other.started_at < now - GIVEN_UP_AFTER or holder_is_gone(other.lock_holder):
            _note(other, finished_at=now, error="never ended: its process was stopped")
    values = {"started_at": now, "name": name_of(now, engine().ENDING), "place": str(place)[:500]}
    try:
        with transaction.atomic():
            row = Backup.objects.create(**values, lock_holder=lock_holder_here())
    except IntegrityError:
        raise BackupFailed("Another backup is under way.") from None
    place.clear_parts()
    return row


def _note(row: Backup, **ended: Any) -> None:
    """Write down how one ended, over a new connection where the database has been away meanwhile."""
    try:
        Backup.objects.filter(pk=row.pk).update(**ended)
    except (OperationalError, InterfaceError):
        connection.close()
        Backup.objects.filter(pk=row.pk).update(**ended)


def _write(place: Place, name: str, folder: Path, now: datetime) -> tuple[int, str]:
    """Dump, lock and put away; return size in bytes and SHA-256 of the locked file."""
    if name in place.names():
        raise BackupFailed(f"{place} has a {name} already.")
    with place.writing(name) as file:
        locked = Counted(file)
        with engine().dumping(folder) as dump:
            lock(dump, locked, settings.BACKUPS.recipients)
        # The note first: who finds the backup finds its checksum.
        note = {
            "file": name,
            "sha256": locked.sha256,
            "size_bytes": locked.size_bytes,
            "taken_at": now.isoformat(),
            "shop": __version__,
            "opened_by": list(settings.BACKUPS.recipients),
        }
        with place.writing(name + NOTE) as beside:
            beside.write(json.dumps(note, indent=1).encode())
    return locked.size_bytes, locked.sha256


def _verify(place: Place, name: str, size_bytes: int, sha256: str) -> None:
    """Read it again where it lies. Raises BackupFailed, and removes it, where it is not what was written."""
    digest, read_bytes = hashlib.sha256(), 0
    with place.reading(name) as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            read_bytes += len(piece)
    if (read_bytes, digest.hexdigest()) != (size_bytes, sha256):
        place.delete(name)
        raise BackupFailed(f"{place} gave back something else than was written. The backup was removed.")
