"""Long answers, kept in files: written once, by one process, and sent by the operating system from there.

A folder for the processes of one machine. A file is named by what it is about, the catalog's version it was made at and
the moment its prices end; it comes into being whole, by a rename, and is never written again. Nothing has to be removed
in time, and a folder that is lost, full or not ours costs time and nothing else: then the answer is sent as it is made.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import structlog
from django.conf import settings
from django.utils import timezone

from catalog.caching.version import Version

log = structlog.get_logger(__name__)
MAX_FILES = 30  # of twenty megabytes, where there are a hundred thousand services
PATIENCE_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 0.05
LEFT_BEHIND_SECONDS = 3600
LOCKS = 64
Write = Callable[[BinaryIO], None]


def file_of(key: str, version: Version, until: Callable[[], datetime | None], write: Write) -> BinaryIO | None:
    """Return the open file of what `key` is about at this version, writing it first where there is none.

    One process writes while others wait; `write` fills the empty file. `until` says when it stops being true; it is
    asked before anything is made.
    None where there can be no file: keeping is off, the folder is not to be written to, or another takes too long.
    """
    if settings.PAGE_CACHE_SECONDS <= 0:
        return None
    folder = Path(settings.API_CACHE_DIR)
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    found = _open(folder, name, version)
    if found is not None:
        return found
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _only_writer(folder, name) as alone:
            if not alone:
                log.warning("api_list_not_waited_for", seconds=PATIENCE_SECONDS)
                return None
            return _open(folder, name, version) or _write(folder, name, version, until(), write)
    except OSError as error:
        log.warning("api_list_not_kept", folder=str(folder), error=str(error))
        return None


def _open(folder: Path, name: str, version: Version) -> BinaryIO | None:
    """Return the newest file of that name and version that is still true, open for reading."""
    now = timezone.now().timestamp()
    for path in folder.glob(f"{name}.{_written(version)}.*.json"):
        ends_at = int(path.name.split(".")[2])
        with contextlib.suppress(OSError):  # whoever wrote a newer one has removed it
            if (not ends_at or now * 1e6 < ends_at) and now < path.stat().st_mtime + settings.PAGE_CACHE_SECONDS:
                return path.open("rb")
    return None


def _write(folder: Path, name: str, version: Version, until: datetime | None, write: Write) -> BinaryIO:
    ends_at = 0 if until is None else int(until.timestamp() * 1e6)
    # Opened before it has a name: whatever happens to the folder then, this caller has its answer.
    handle, part = tempfile.mkstemp(dir=folder, prefix=f"{name}.", suffix=".part")
    file = os.fdopen(handle, "w+b")
    try:
        write(file)
        file.flush()
        Path(part).rename(folder / f"{name}.{_written(version)}.{ends_at}.json")
        file.seek(0)
    except BaseException:
        # Closing writes what is left in the buffer, which a full disk refuses once more.
        with contextlib.suppress(OSError):
            file.close()
        Path(part).unlink(missing_ok=True)
        raise
    _tidy(folder, keep=(name, version))
    return file


def _written(version: Version) -> str:
    return f"{version.catalog}-{version.stock}"


def _tidy(folder: Path, *, keep: tuple[str, Version]) -> None:
    """Remove what is older than the file just written, files of the oldest beyond MAX_FILES, and what a crash left."""
    kept: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError, ValueError):
            written_at = path.stat().st_mtime
            if path.suffix == ".part" and written_at < time.time() - LEFT_BEHIND_SECONDS:
                path.unlink()
            elif path.suffix == ".json":
                name, version, _ends_at, _suffix = path.name.split(".")
                if name == keep[0] and tuple(map(int, version.split("-"))) < keep[1]:
                    path.unlink()
                else:
                    kept.append((written_at, path))
    for _written_at, path in sorted(kept)[:-MAX_FILES]:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _only_writer(folder: Path, name: str) -> Iterator[bool]:
    """Whether we may write, once nobody else does. The lock goes with its process, however that ends."""
    lock = os.open(folder / f"{int(name, 16) % LOCKS}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _locked(lock)
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    gives_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > gives_up_at:
                return False
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            return True
