"""`python -m tests.provision [--long] [pytest arguments]`: what differs on SQLite, then everything on PostgreSQL.

Starts Valkey and PostgreSQL, finds a Chromium and carries out the migrations first, so that all test processes share
what comes of it. Ends with each run's closing line, and with a failure if either run failed.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storefront.demo.processes import ChildFailed, Processes
from storefront.demo.valkey import start_valkey
from tests.provision import chromium, pgbouncer
from tests.provision.migrated import migrated_postgres, migrated_sqlite
from tests.provision.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
NOTHING_COLLECTED = 5  # pytest's exit status


def main(arguments: list[str]) -> int:
    """Run pytest on both databases and return the exit status of the whole; `--long` runs what takes minutes."""
    long = "--long" in arguments
    arguments = [argument for argument in arguments if argument != "--long"]
    started = time.monotonic()
    try:
        with (
            Processes() as processes,
            tempfile.TemporaryDirectory(prefix="shop-tests-") as folder,
            ThreadPoolExecutor(1) as beside,
        ):
            _child, redis_url = start_valkey(processes, Path(folder))
            os.environ["TEST_REDIS_URL"] = redis_url
            os.environ["CHROMIUM"] = chromium.executable()
            pgbouncer.provide()
            on_file = beside.submit(migrated_sqlite, Path(folder))  # a dozen seconds each
            with Postgres() as postgres:
                os.environ["MIGRATED_POSTGRES"] = migrated_postgres(postgres.url)
                os.environ["MIGRATED_SQLITE"] = str(on_file.result())
                on_sqlite = ["-m", "sqlite and not sqlite_alone and not long", "--durations", "10"]
                on_postgres = ["-m", "long" if long else "not long", "--durations", "10"]
                runs = [
                    ("SQLite", "", on_sqlite if arguments else [*on_sqlite, *_marked_files()]),
                    ("PostgreSQL", postgres.url, on_postgres),
                ]
                if long:
                    runs = runs[1:]
                closing = [_run(name, url, [*more, *arguments], chosen=arguments) for name, url, more in runs]
    except (ChildFailed, chromium.ChromiumMissing) as error:
        print(f"The tests cannot run: {error}", file=sys.stderr)
        return 1
    print()
    for name, _status, line in closing:
        print(f"{name:10}  {line}")
    print(f"in all      {time.monotonic() - started:.0f} s")
    return max(status for _name, status, _line in closing)


def _marked_files() -> list[str]:
    """Return the files that have a test for SQLite: reading all others, once for each process, takes seconds."""
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(test.relative_to(ROOT)) for test in tests if "pytest.mark.sqlite" in test.read_text()]


def _run(name: str, database_url: str, arguments: list[str], *, chosen: list[str]) -> tuple[str, int, str]:
    """Run pytest on one database, its output going through; return name, exit status and the last line."""
    print(f"\n===== {name} =====", flush=True)
    environment = {**os.environ, "DATABASE_URL": database_url}
    # One more than there are processors: much of a test is waiting, for a browser, a worker, an answer.
    processes = min(max(os.cpu_count() or 2, 2) + 1, 8)
    command = [sys.executable, "-m", "pytest", "-n", str(processes), "--dist", "loadgroup"]
    command += ["--color", "yes" if sys.stdout.isatty() else "no", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as pytest:
        assert pytest.stdout is not None
        last = ""
        for line in pytest.stdout:
            print(line, end="", flush=True)
            last = line.strip().strip("= ") or last
    # A part of the suite that has nothing for this database is no failure of it.
    nothing_to_run = pytest.returncode == NOTHING_COLLECTED and bool(chosen)
    return name, 0 if nothing_to_run else abs(pytest.returncode), last


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
