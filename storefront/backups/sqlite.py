"""A copy of a SQLite database in use, and bringing it back."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

from storefront.backups.places import BackupFailed

ENDING = "sqlite3"


@contextmanager
def dumping(folder: Path) -> Iterator[IO[bytes]]:
    """A context with a copy of the database as a stream: SQLite's own backup, whole whatever is written meanwhile."""
    copy = folder / "copy.sqlite3"
    with closing(sqlite3.connect(_path())) as ours, closing(sqlite3.connect(copy)) as other:
        ours.backup(other, pages=1000)
    with copy.open("rb") as file:
        yield file


@contextmanager
def proving(folder: Path) -> Iterator[IO[bytes]]:
    """A context with a file that a copy is written to: it ends well only if SQLite finds nothing wrong with it."""
    copy = folder / "proof.sqlite3"
    with copy.open("wb") as file:
        yield file
    _check(copy)


@contextmanager
def restoring(folder: Path) -> Iterator[IO[bytes]]:
    """A context with a file that a copy is written to: it is the database when it ends well."""
    copy = Path(f"{_path()}.restoring")
    try:
        with copy.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _check(copy)
        connection.close()
        for left in ("-wal", "-shm"):  # of the empty database
            Path(f"{_path()}{left}").unlink(missing_ok=True)
        copy.replace(_path())
    finally:
        copy.unlink(missing_ok=True)


def holds() -> list[str]:
    """Return the tables of the database."""
    return sorted(connection.introspection.table_names())


def _path() -> str:
    return str(connection.settings_dict["NAME"] or settings.DATABASES["default"]["NAME"])


def _check(copy: Path) -> None:
    try:
        with closing(sqlite3.connect(copy)) as database:
            said = database.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"SQLite cannot read it: {error}.") from error
    if said != "ok":
        raise BackupFailed(f"SQLite finds it damaged: {said}.")
