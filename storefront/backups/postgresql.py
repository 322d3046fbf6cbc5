"""Dumping PostgreSQL and bringing a dump back, by PostgreSQL's own programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.db import connection

from storefront.backups.places import BackupFailed
from storefront.postgresql.pooled import DIRECT

ENDING = "dump"
_OPTIONS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL. Raises BackupFailed where it is not installed."""
    folder = settings.BACKUPS.programs
    found = shutil.which(name, path=folder or None)
    if found is None:
        where = folder or "PATH"
        raise BackupFailed(f"{name} is not in {where}: install PostgreSQL's client programs, or set BACKUP_PROGRAMS.")
    return found


def check_version(name: str) -> str:
    """Return the program's path. Raises BackupFailed where it is older than the server: it could leave things out."""
    path = program(name)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    found = re.search(r"\) (\d+)", said)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    if found is None or int(found[1]) < server:
        raise BackupFailed(
            f"{path} is version {found[1] if found else '?'}, and the server is version {server}: "
            f"install the client programs of PostgreSQL {server} or newer, or name their folder in BACKUP_PROGRAMS."
        )
    return path


def environment() -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs reach our database, as the role that owns the tables.

    They change settings of their connection, so they go past a pool. A password among the arguments would be for
    everybody on the machine to read.
    """
    default = settings.DATABASES["default"]
    other = settings.MIGRATION_DATABASE or default.get(DIRECT)
    database: dict[str, Any] = other or default
    # The name that is in use: tests have one of their own.
    name = other["NAME"] if other else connection.settings_dict["NAME"]
    given = {
        "PGHOST": database.get("HOST"),
        "PGPORT": database.get("PORT"),
        "PGUSER": database.get("USER"),
        "PGPASSWORD": database.get("PASSWORD"),
        "PGDATABASE": name,
    }
    given |= {variable: database.get("OPTIONS", {}).get(option) for option, variable in _OPTIONS.items()}
    return {**os.environ, **{variable: str(value) for variable, value in given.items() if value}}


@contextmanager
def dumping(folder: Path) -> Iterator[IO[bytes]]:
    """A context with the dump as a stream; it ends well only if pg_dump has. Raises BackupFailed.

    Owners and rights stay out: `manage.py migrate` gives them after a restore, to the roles that there are then.
    """
    command = [check_version("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s"]
    with (
        (folder / "pg_dump.log").open("w+b") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment()) as running,
    ):
        dump = cast(IO[bytes], running.stdout)
        try:
            yield dump
        except BaseException:
            running.kill()
            raise
        dump.close()
        if running.wait():
            log.seek(0)
            raise BackupFailed(f"pg_dump failed: {_last_line(log.read())}")


@contextmanager
def _feeding(arguments: list[str], folder: Path) -> Iterator[IO[bytes]]:
    command = [program("pg_restore"), *arguments]
    with (
        (folder / "pg_restore.log").open("w+b") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log, env=environment()) as running,
    ):
        fed = cast(IO[bytes], running.stdin)
        failed: BaseException | None = None
        try:
            yield fed
            fed.close()
        except BrokenPipeError as error:  # pg_restore has ended; its own words are better
            failed = error
        except BaseException:
            running.kill()
            raise
        if running.wait() or failed is not None:
            log.seek(0)
            raise BackupFailed(f"pg_restore failed: {_last_line(log.read())}")


def proving(folder: Path) -> Any:
    """A context with a file that a dump is written to: it ends well only if pg_restore can read all of it."""
    return _feeding(["--file", os.devnull], folder)


def restoring(folder: Path) -> Any:
    """A context with a file that a dump is written to: all of it is in the database when it ends well, else nothing."""
    check_version("pg_restore")
    arguments = ["--dbname", environment()["PGDATABASE"], "--no-owner", "--no-privileges", "--no-comments"]
    return _feeding([*arguments, "--exit-on-error", "--single-transaction"], folder)


def holds() -> list[str]:
    """Return the tables of the database, other than those of extensions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
        return [name for (name,) in cursor.fetchall()]


def _last_line(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    wrong = [line for line in lines if "error" in line.lower()]
    return (wrong or lines or ["it says nothing"])[0][:500]
