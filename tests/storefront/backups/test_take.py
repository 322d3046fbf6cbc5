"""Taking backups: locked, whole or not there, read again, and no more of them than are kept."""

import json
import os
import platform
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from storefront.backups import postgresql
from storefront.backups.names import kept, moment_of, name_of
from storefront.backups.places import BackupFailed, Folder
from storefront.backups.take import rotate, take_backup
from storefront.models import Backup

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


def files(backups: Any) -> list[str]:
    return sorted(path.name for path in Path(backups.to).iterdir())


def test_backup_is_locked_noted_and_read_again(backups, identity, ann) -> None:
    said = StringIO()

    call_command("backup", stdout=said)

    row = Backup.objects.get()
    assert files(backups) == [row.name, f"{row.name}.json"]
    whole = (Path(backups.to) / row.name).read_bytes()
    assert whole.startswith(b"age-encryption.org/v1")
    assert ann.email.encode() not in whole
    opened = pyrage.decrypt(whole, [pyrage.x25519.Identity.from_str(identity[0].read_text().splitlines()[1])])
    assert opened.startswith(b"PGDMP" if connection.vendor == "postgresql" else b"SQLite format 3")
    note = json.loads((Path(backups.to) / f"{row.name}.json").read_text())
    assert (note["sha256"], note["size_bytes"]) == (row.sha256, row.size_bytes) == (row.sha256, len(whole))
    assert row.verified_at is not None
    assert row.error == ""
    assert f"{len(whole):,} bytes" in said.getvalue()
    assert (Path(backups.to) / row.name).stat().st_mode & 0o077 == 0


def test_backup_when_the_disk_is_full_says_so_and_leaves_nothing(backups, tmp_path: Path, settings) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False).returncode
    ):
        pytest.skip("only root can mount a small disk")
    try:
        settings.BACKUPS = replace(backups, to=str(small))

        with pytest.raises(BackupFailed, match="No room is left at"):
            take_backup(now=timezone.now())

        assert list(small.iterdir()) == []
        assert "No room is left" in Backup.objects.get().error
        assert Backup.newest_good() is None
    finally:
        subprocess.run(["umount", small], check=True)


def test_backup_when_what_lies_there_is_not_what_was_written_then_it_goes(backups, monkeypatch) -> None:
    class Rotten(Folder):
        """A disk that changes a byte behind our back."""

        def reading(self, name: str) -> Any:
            path = Path(backups.to) / name
            path.write_bytes(path.read_bytes()[:-1] + b"?")
            return super().reading(name)

    monkeypatch.setattr("storefront.backups.take.place_of", lambda rules: Rotten(rules.to))

    with pytest.raises(BackupFailed, match="something else than was written"):
        take_backup(now=timezone.now())

    assert not [name for name in files(backups) if name.endswith(".age")]


def test_backup_when_another_is_under_way_is_refused_until_that_one_is_long_dead(backups) -> None:
    now = timezone.now()
    other = Backup.objects.create(started_at=now - timedelta(hours=1), name="x", place="y")

    with pytest.raises(BackupFailed, match="Another backup is under way"):
        take_backup(now=now)
    Backup.objects.filter(pk=other.pk).update(started_at=now - timedelta(days=1))
    take_backup(now=now)

    other.refresh_from_db()
    assert other.error.startswith("never ended")


def test_backup_when_the_process_of_the_last_was_killed_begins_at_once_and_clears_up(backups) -> None:
    gone = "999999 2026-01-01T00:00:00+00:00" if connection.vendor == "postgresql" else f"999999 {platform.node()}"
    killed = Backup.objects.create(name="x", place="y", lock_holder=gone)
    left = Path(backups.to)
    left.mkdir(exist_ok=True)
    (left / "shop-2026-01-01T00-00-00Z.dump.age.part").write_bytes(b"half")
    (left / "mine.part").write_bytes(b"of somebody else")

    take_backup(now=timezone.now())

    killed.refresh_from_db()
    assert killed.error.startswith("never ended")
    assert [name for name in files(backups) if name.endswith(".part")] == ["mine.part"]


def test_backup_when_old_ones_may_not_be_removed_is_a_good_one(backups, monkeypatch) -> None:
    def refuse(place: Folder, name: str) -> None:
        raise BackupFailed("may not")

    for day in range(1, 5):
        take_backup(now=timezone.now() - timedelta(days=400 * day))
    monkeypatch.setattr(Folder, "delete", refuse)

    assert take_backup(now=timezone.now()).verified_at


def test_half_a_backup_of_a_killed_process_has_no_backups_name(backups) -> None:
    place = Folder(backups.to)

    writing = place.writing("shop-2026-01-01T00-00-00Z.dump.age")

    writing.__enter__().write(b"half")

    assert files(backups) == ["shop-2026-01-01T00-00-00Z.dump.age.part"]
    assert place.names() == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about pg_dump")
def test_backup_when_pg_dump_is_older_than_the_server_says_what_to_install(backups, tmp_path, settings) -> None:
    old = tmp_path / "old" / "pg_dump"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    old.chmod(0o755)
    settings.BACKUPS = replace(backups, programs=str(old.parent))

    with pytest.raises(CommandError, match=r"is version 9, and the server is version \d+: install"):
        call_command("backup")
    settings.BACKUPS = replace(backups, programs=str(tmp_path))
    with pytest.raises(CommandError, match="install PostgreSQL's client programs"):
        call_command("backup")

    assert files(backups) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about pg_dump")
def test_backup_when_pg_dump_fails_is_none(backups, tmp_path, settings) -> None:
    real = postgresql.program("pg_dump")
    broken = tmp_path / "broken" / "pg_dump"
    broken.parent.mkdir()
    broken.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {real} --version\n'
        'echo some bytes; echo "pg_dump: error: connection lost" >&2; exit 1\n'
    )
    broken.chmod(0o755)
    settings.BACKUPS = replace(backups, programs=str(broken.parent))

    with pytest.raises(BackupFailed, match="pg_dump failed: pg_dump: error: connection lost"):
        take_backup(now=timezone.now())

    assert files(backups) == []


# --- Which are kept -------------------------------------------------------------------------------------------------
def test_kept_are_the_newest_of_each_day_week_and_month() -> None:
    start = datetime(2026, 11, 30, 12, tzinfo=UTC)
    names = [name_of(start - timedelta(hours=6 * number), "dump") for number in range(4 * 400)]

    stays = sorted((moment_of(name) for name in kept(names, daily=3, weekly=2, monthly=3)), reverse=True)

    assert [f"{moment:%m-%d %H}" for moment in stays] == ["11-30 12", "11-29 18", "11-28 18", "10-31 18", "09-30 18"]


def test_kept_when_nothing_was_taken_for_a_year_is_what_there_is() -> None:
    names = [f"shop-2025-01-0{day}T00-00-00Z.dump.age" for day in (1, 2)]

    assert kept([*names, "notes.txt"], daily=7, weekly=0, monthly=0) == set(names)


def test_rotate_removes_what_is_not_kept_with_its_note_and_nothing_of_others(backups, settings) -> None:
    settings.BACKUPS = replace(backups, daily=1, weekly=0, monthly=0)
    Path(backups.to).mkdir()
    (Path(backups.to) / "mine.txt").touch()
    old, new = "shop-2026-01-01T00-00-00Z.dump.age", "shop-2026-01-02T00-00-00Z.dump.age"
    for name in (old, f"{old}.json", new, f"{new}.json", "shop-2026-01-01T06-00-00Z.dump.age.json"):
        (Path(backups.to) / name).touch()

    assert rotate(Folder(backups.to)) == [old]

    assert files(backups) == ["mine.txt", new, f"{new}.json"]


def test_new_key_prints_a_pair_that_fits() -> None:
    said = StringIO()

    call_command("backup", "--new-key", stdout=said)

    secret = pyrage.x25519.Identity.from_str(next(word for word in said.getvalue().split() if "SECRET" in word))
    assert f"BACKUP_RECIPIENTS={secret.to_public()}" in said.getvalue()
