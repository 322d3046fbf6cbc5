"""`python -m tests.provision [pytest arguments]`: the whole suite, on SQLite and then on PostgreSQL.

Starts Valkey and PostgreSQL and finds a Chromium first, so that all test processes share them. Ends with each run's
closing line, and with a failure if either run failed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from storefront.demo.processes import ChildFailed, Processes
from storefront.demo.valkey import start_valkey
from tests.provision import chromium
from tests.provision.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Run pytest twice and return the exit status of the whole."""
    started = time.monotonic()
    try:
        with Processes() as processes, tempfile.TemporaryDirectory(prefix="shop-valkey-") as folder:
            _child, redis_url = start_valkey(processes, Path(folder))
            os.environ["TEST_REDIS_URL"] = redis_url
            os.environ["CHROMIUM"] = chromium.executable()
            with Postgres() as postgres:
                # The browser sees no database: once is enough, on the one that runs in production.
                runs = [
                    ("SQLite", "", ["-m", "not browser and not once"]),
                    ("PostgreSQL", postgres.url, []),
                ]
                closing = [_run(name, url, [*more, *arguments]) for name, url, more in runs]
    except (ChildFailed, chromium.ChromiumMissing) as error:
        print(f"The tests cannot run: {error}", file=sys.stderr)
        return 1
    print()
    for name, _status, line in closing:
        print(f"{name:10}  {line}")
    print(f"in all      {time.monotonic() - started:.0f} s")
    return max(status for _name, status, _line in closing)


def _run(name: str, database_url: str, arguments: list[str]) -> tuple[str, int, str]:
    """Run pytest on one database, its output going through; return name, exit status and the last line."""
    print(f"\n===== {name} =====", flush=True)
    environment = {**os.environ, "DATABASE_URL": database_url}
    processes = min(max(os.cpu_count() or 2, 2), 8)
    command = [sys.executable, "-m", "pytest", "-n", str(processes), "--dist", "loadgroup"]
    command += ["--color", "yes" if sys.stdout.isatty() else "no", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as pytest:
        assert pytest.stdout is not None
        last = ""
        for line in pytest.stdout:
            print(line, end="", flush=True)
            last = line.strip().strip("= ") or last
    return name, abs(pytest.returncode), last


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
