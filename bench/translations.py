"""How long a round of asking for names in another language takes, its fetch excluded.

`python -m bench.translations --services 100000`. PostgreSQL, Valkey and the sandbox run beside it on the same machine.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.stage import machine, shop

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Timed:
    """A client that counts how long its calls have taken."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not callable(value):
            return value

        def timed(**asked: Any) -> Any:
            began = time.perf_counter()
            try:
                return value(**asked)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def run(services: int) -> None:
    """Measure and print a first round, one in which nothing differs, and one with 1 % of new names."""
    with shop(services=services, CATALOG_LANGUAGES="ru") as sandbox:
        from django.db import connection

        from catalog.models import Service
        from catalog.sync.sync_catalog import sync_catalog
        from catalog.sync.sync_translations import sync_translations

        sandbox.set(profiles=["live"], reads_per_second=100_000)
        client = sandbox.client(timeout_seconds=300)
        sync_catalog(client=client, now=NOW)
        print(f"{services:,} services, {machine()}")
        for number, title in enumerate(("first round", "nothing differs", "1 % differ"), start=1):
            if number == 3:
                Service.objects.filter(upstream_id__in=range(1, services, 100)).update(translated_names={"ru": "Иначе"})
            timed = Timed(client)
            began = time.perf_counter()
            done = sync_translations(client=timed, now=NOW + timedelta(days=number))  # type: ignore[arg-type]  # a stand-in
            seconds = time.perf_counter() - began
            print(
                f"{title:16} {seconds - timed.seconds:7.2f} s of {seconds:.1f} s with its {done.requests} requests; "
                f"{done.changed:,} rows written, {done.status}"
            )
        client.close()
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=20_000, help="size of the catalog, 1 to 100,000")
    run(parser.parse_args().services)


if __name__ == "__main__":
    main()
