"""How long a catalog sync takes, as multiples of PostgreSQL's own COPY of the same rows; and its peak memory.

`python -m bench.sync --services 20000`. Every figure comes from this run: PostgreSQL, Valkey and the sandbox run beside
it on the same machine.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.stage import machine, shop

ROOT = Path(__file__).resolve().parents[1]
AIMS = {"first": 4.0, "unchanged": 1.0, "changed": 1.5, "memory": 300.0}  # times COPY; MB
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Replay:
    """A client that answers from memory what the sandbox said once: a sync over it is a sync without the fetch."""

    def __init__(self, client: Any) -> None:
        self._balance = client.balance()
        self._categories = client.categories()
        self._answers: dict[tuple[str, str] | None, Any] = {None: client.services()}
        for row in self._categories:
            for name in row.subcategories:
                self._answers[row.category, name] = client.services(category=row.category, subcategory=name)
        self.usage = client.usage

    def balance(self) -> Any:
        return self._balance

    def categories(self) -> Any:
        return self._categories

    def services(self, *, category: str | None = None, subcategory: str | None = None) -> Any:
        return self._answers[None if category is None or subcategory is None else (category, subcategory)]

    def reprice(self, every: int) -> None:
        """Raise the rate of one service in `every`, in the answer that names them all."""
        from msgspec.structs import replace

        page = self._answers[None]
        rows = [
            replace(row, rate=row.rate + Decimal("0.01")) if place % every == 0 else row
            for place, row in enumerate(page.services)
        ]
        self._answers[None] = replace(page, services=rows)


def seconds_of(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def statements_of(work: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as statements:
        work()
    return len(statements)


def empty_the_catalog() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_service, catalog_subcategory, catalog_category, catalog_syncrun CASCADE")


def copied_out() -> bytes:
    """Return the services as COPY writes them."""
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy("COPY catalog_service TO STDOUT") as copy:
        return b"".join(bytes(block) for block in copy)


def copy_in(rows: bytes) -> None:
    """COPY the rows into an empty table of the same columns, defaults and indexes: the limit to compare with."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor, cursor.copy("COPY bench_service FROM STDIN") as copy:
        copy.write(rows)


@contextmanager
def empty_twin(*, keys_only: bool = False) -> Iterator[None]:
    """Make an empty table of the same columns, with the same indexes or with those of its two keys only."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_service (LIKE catalog_service INCLUDING ALL EXCLUDING INDEXES)"
            if keys_only
            else "CREATE TABLE bench_service (LIKE catalog_service INCLUDING ALL)"
        )
        if keys_only:
            cursor.execute("ALTER TABLE bench_service ADD PRIMARY KEY (id), ADD UNIQUE (upstream_id)")
        try:
            yield
        finally:
            cursor.execute("DROP TABLE bench_service")


def one_round(replay: Replay, measure: Callable[[Callable[[], Any]], Any]) -> dict[str, Any]:
    """Measure a first sync, one with nothing changed, one with 1 % changed, and COPY of the same rows."""
    from catalog.models import Service
    from catalog.sync.sync_catalog import sync_catalog

    clock = iter(NOW + timedelta(minutes=15 * step) for step in range(10))

    def sync() -> Any:
        return sync_catalog(client=replay, now=next(clock))

    def checked(**expected: Any) -> None:
        run = sync()
        found = {name: getattr(run, name) for name in expected}
        assert found == expected, f"{found} instead of {expected}: {run.error}"

    empty_the_catalog()
    total = len(replay.services().services)
    measured = {"first": measure(lambda: checked(status="applied", added=total))}
    assert Service.objects.count() == total
    measured["unchanged"] = measure(lambda: checked(status="unchanged"))
    rows = copied_out()
    with empty_twin():
        measured["copy"] = measure(lambda: copy_in(rows))
    with empty_twin(keys_only=True):
        measured["keys"] = measure(lambda: copy_in(rows))
    replay.reprice(100)
    measured["changed"] = measure(lambda: checked(status="applied", changed=-(-total // 100)))
    return measured


def whole_command(environment: dict[str, str]) -> tuple[float, float, str]:
    """Run `manage.py sync_catalog` with its fetch; return seconds, its peak memory in MB and its last line.

    Call it first: the system keeps one peak for all children that have ended.
    """
    command = [sys.executable, "manage.py", "sync_catalog"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"sync_catalog failed:\n{done.stdout}{done.stderr}")
    return seconds, children_peak_mb(), done.stdout.strip().splitlines()[-1]


def children_peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, kilobytes elsewhere


def run(services: int, rounds: int) -> bool:
    """Measure and print; return whether the aims were met."""
    with shop(services=services) as sandbox:
        from django.db import connection

        before = children_peak_mb()
        whole, peak, output = whole_command(dict(os.environ))
        client = sandbox.client()
        fetch = seconds_of(lambda: client.services())
        replay = Replay(client)
        client.close()
        results = [one_round(replay, seconds_of) for _round in range(rounds)]
        statements = one_round(replay, statements_of)
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
        connection.close()
    medians = {name: statistics.median(result[name] for result in results) for name in results[0]}
    print(f"{services:,} services, PostgreSQL {version}, {machine()}; {rounds} rounds")
    print_table(medians, statements)
    print(f"the whole command, fetch included: {whole:.1f} s ({output})")
    print(f"one request for all services: {fetch:.2f} s")
    known = "" if peak > before else ", at most: another child of this run had more"
    print(f"peak memory of the command: {peak:.0f} MB resident (aim: under {AIMS['memory']:.0f} MB){known}")
    ratios = {name: medians[name] / medians["copy"] for name in ("first", "unchanged", "changed")}
    missed = [name for name, ratio in ratios.items() if ratio > AIMS[name]]
    missed += ["memory"] if peak >= AIMS["memory"] else []
    print(f"aims missed: {', '.join(missed) or 'none'}; load of the machine: {os.getloadavg()[0]:.1f}")
    return not missed


def print_table(medians: dict[str, float], statements: dict[str, int]) -> None:
    print(f"{'fetch excluded':32}{'seconds':>9}{'× COPY':>9}{'aim':>7}{'× keys':>9}{'statements':>12}")
    for name, title in {
        "copy": "COPY of the same rows",
        "keys": "COPY, only the keys indexed",
        "first": "first sync",
        "unchanged": "sync, nothing changed",
        "changed": "sync, 1 % changed",
    }.items():
        aim = f"≤ {AIMS[name]:g}" if name in AIMS else ""
        ratio, strict = medians[name] / medians["copy"], medians[name] / medians["keys"]
        print(f"{title:32}{medians[name]:9.3f}{ratio:9.2f}{aim:>7}{strict:9.2f}{statements[name]:12}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=20_000, help="size of the catalog, 1 to 100,000")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; the median counts")
    arguments = parser.parse_args()
    return 0 if run(arguments.services, arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
