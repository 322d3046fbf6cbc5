"""Where backups lie: a folder, or a bucket that speaks S3. What is half written never has a backup's name."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from storefront.backups.names import NOTE, moment_of
from storefront.configuration.backups import Backups

PART = ".part"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
S3_PIECE_BYTES = 8 * 1024 * 1024  # S3 takes at most 10,000 pieces: 80 GB


class BackupFailed(Exception):
    """No backup was made, or none came back; the text says why, and what to do."""


class Place(Protocol):
    """Where backups lie."""

    def __str__(self) -> str: ...

    def writing(self, name: str) -> Any:
        """A context with a file to write to: it has its name once the context ends well, and never existed if not."""

    def reading(self, name: str) -> Any:
        """A context with a file to read from. Raises BackupFailed where there is none."""

    def names(self) -> list[str]:
        """Return the names of what lies there, half-written files left out."""

    def delete(self, name: str) -> None:
        """Remove one; one that is gone is no error. Raises BackupFailed."""

    def clear_parts(self) -> None:
        """Remove what killed processes left half written; for whoever knows that nobody is writing."""


class Folder:
    """A folder of this machine, or one that is mounted there."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __str__(self) -> str:
        return str(self._path)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        whole, part = self._path / name, self._path / (name + PART)
        try:
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(part, "wb", opener=_for_the_owner_alone) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.rename(whole)
            _sync_folder(self._path)
        except OSError as error:
            raise BackupFailed(_of(error, str(self))) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        try:
            file = (self._path / name).open("rb")
        except OSError as error:
            raise BackupFailed(f"{self._path / name} cannot be read: {error.strerror}.") from error
        with file:
            yield file

    def names(self) -> list[str]:
        try:
            return sorted(entry.name for entry in self._path.iterdir() if not entry.name.endswith(PART))
        except FileNotFoundError:
            return []

    def delete(self, name: str) -> None:
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise BackupFailed(f"{self._path / name} cannot be removed: {error.strerror}.") from error

    def clear_parts(self) -> None:
        """Remove what killed processes left half written."""
        for part in self._path.glob(f"*{PART}"):
            if moment_of(part.name.removesuffix(PART).removesuffix(NOTE)):
                part.unlink(missing_ok=True)


class Bucket:
    """A bucket, through obstore; the file appears there when its last piece has arrived, whole or not at all."""

    def __init__(self, address: str, options: dict[str, str]) -> None:
        bucket, _slash, prefix = address.removeprefix("s3://").partition("/")
        self._address = address
        plain = options.get("endpoint", "").startswith("http://")
        # A whole file may take hours, a piece of it may not.
        times = {"connect_timeout": "30s", "read_timeout": "120s", "timeout": "24h"}
        configured: Any = {"client_options": {"allow_http": plain, **times}, **options}
        self._store = S3Store(bucket, prefix=prefix.strip("/") or None, **configured)

    def __str__(self) -> str:
        return self._address

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        try:
            file = obstore.open_writer(self._store, name, buffer_size=S3_PIECE_BYTES)
            yield file
            file.close()  # not where the body failed: what is not closed never becomes an object
        except (BaseError, OSError) as error:
            raise BackupFailed(f"{self._address} does not take the backup: {_first_line(error)}") from error

    @contextmanager
    def reading(self, name: str) -> Iterator[Any]:
        try:
            yield io.BufferedReader(_Pieces(obstore.get(self._store, name).stream()))
        except (BaseError, FileNotFoundError) as error:
            raise BackupFailed(f"{self._address}/{name} cannot be read: {_first_line(error)}") from error

    def names(self) -> list[str]:
        try:
            return sorted(row["path"].rpartition("/")[2] for rows in obstore.list(self._store) for row in rows)
        except BaseError as error:
            raise BackupFailed(f"{self._address} cannot be listed: {_first_line(error)}") from error

    def delete(self, name: str) -> None:
        try:
            with suppress(FileNotFoundError):
                obstore.delete(self._store, name)
        except BaseError as error:
            raise BackupFailed(f"{self._address}/{name} cannot be removed: {_first_line(error)}") from error

    def clear_parts(self) -> None:
        """Leave it to the bucket: what was not finished is no object, and a rule of its own removes its pieces."""


class _Pieces(io.RawIOBase):
    """What comes in pieces of any size, as a file."""

    def __init__(self, pieces: Any) -> None:
        self._pieces, self._left = iter(pieces), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(bytes(piece))
        taken = min(len(target), len(self._left))
        target[:taken], self._left = self._left[:taken], self._left[taken:]
        return taken


def place_of(settings: Backups, address: str | None = None) -> Place:
    """Return the place that the settings name, or the one at `address`. Raises BackupFailed where none is named."""
    address = address or settings.to
    if not address:
        raise BackupFailed("BACKUP_TO is not set: name a folder, or s3://bucket/folder.")
    return Bucket(address, settings.s3) if address.startswith("s3://") else Folder(address)


def _for_the_owner_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(path: Path) -> None:
    """Have the new name outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _of(error: OSError, place: str) -> str:
    if error.errno in NO_ROOM:
        return f"No room is left at {place}: make some, or keep fewer backups (BACKUP_KEEP_DAILY). Nothing was kept."
    return f"{place} cannot be written to: {error.strerror or error}."


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
