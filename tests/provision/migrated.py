"""Databases with every table, made once for all test processes: each begins with a copy instead of all migrations."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from storefront.demo.processes import ChildFailed
from tests.provision.environment import ENVIRONMENT, ROOT, variables_of_the_shop

NAME = "migrated"


def migrated_sqlite(folder: Path) -> Path:
    """Make a SQLite file with every table in this folder and return its path. Raises ChildFailed."""
    path = folder / f"{NAME}.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


def migrated_postgres(url: str) -> str:
    """Make a database with every table on the server of this URL and return its name. Raises ChildFailed."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {NAME}")
    _migrate(f"{url.rpartition('/')[0]}/{NAME}")
    return NAME


def _migrate(database_url: str) -> None:
    others = {name: value for name, value in os.environ.items() if name not in variables_of_the_shop()}
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**others, **ENVIRONMENT, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ChildFailed(f"the migrations failed:\n{done.stdout}{done.stderr}")
