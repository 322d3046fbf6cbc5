"""Where exports lie: a folder of the shop's own that no web server shows, under names nobody can guess."""

import secrets
import time
from pathlib import Path

from django.conf import settings

PART = ".part"
FOLDER_MODE, FILE_MODE = 0o700, 0o600


def new_name() -> str:
    """Return a name for an export that is about to be written."""
    return f"{secrets.token_hex(24)}.zip"


def path_of(name: str) -> Path:
    """Return where a finished export lies. Raises ValueError for a name that is none of ours."""
    if not name or Path(name).name != name:
        raise ValueError(name)
    return Path(settings.PRIVACY.export_dir) / name


def part_of(name: str) -> Path:
    """Return where an export lies while it is being written."""
    return path_of(name + PART)


def make_folder() -> None:
    """Make the folder at the first need."""
    settings.PRIVACY.export_dir.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def remove(name: str) -> None:
    """Delete an export, whole or half; one that is not there is no harm."""
    if name:
        path_of(name).unlink(missing_ok=True)
        part_of(name).unlink(missing_ok=True)


def remove_strays(known: set[str], *, older_than_seconds: float) -> int:
    """Delete files that no row knows any more: a worker died before it could. Return how many."""
    if not settings.PRIVACY.export_dir.is_dir():
        return 0
    before, removed = time.time() - older_than_seconds, 0
    for path in settings.PRIVACY.export_dir.iterdir():
        if path.name.removesuffix(PART) not in known and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
