"""What the measurements of orders stand on: PostgreSQL, Valkey and a sandbox of their own, and a shop that may sell."""

import base64
import os
import re
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User
    from catalog.models import Service
    from upstream.sandbox.process import Sandbox

SERVICE_ID = 900_001


@contextmanager
def shop(*, services: int = 60, sandbox_state: Path | None = None, **environment: Any) -> Iterator["Sandbox"]:
    """Start the servers, set up Django on them with these settings, create the tables; yield the sandbox."""
    from storefront.demo.processes import Processes
    from storefront.demo.valkey import start_valkey
    from tests.provision.postgres import Postgres
    from upstream.sandbox.process import Sandbox

    with (
        tempfile.TemporaryDirectory(prefix="bench-valkey-") as folder,
        Processes() as processes,
        Postgres() as postgres,
        Sandbox.start(services=services, speed=0, state=sandbox_state) as sandbox,
    ):
        _child, redis_url = start_valkey(processes, Path(folder))
        # Not DEBUG: Django would keep every statement in memory.
        os.environ.update(
            DJANGO_SETTINGS_MODULE="storefront.settings", DEBUG="false", SECRET_KEY=secrets.token_urlsafe(48)
        )
        os.environ.update(DOTENV=os.devnull, LOG_LEVEL="WARNING", DATABASE_URL=postgres.url, REDIS_URL=redis_url)
        os.environ.update(ALLOWED_HOSTS="127.0.0.1")
        os.environ.update(UPSTREAM_URL=sandbox.url, UPSTREAM_KEY=sandbox.key)
        os.environ.update(FIELD_ENCRYPTION_KEYS=base64.urlsafe_b64encode(32 * b"x").decode())
        os.environ.update({name: str(value) for name, value in environment.items()})
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        sandbox.set_balance("1000000.00")
        yield sandbox


def a_service(sandbox: "Sandbox") -> "Service":
    """Put one service on sale, here and upstream; the unit of its rate is confirmed."""
    from catalog.models import Category, Service

    row = {"service": SERVICE_ID, "name": "Followers", "type": "Default", "category": "Bench", "rate": "1.50"}
    sandbox.add_service(**row, min=10, max=10_000, stock=None)
    category = Category.objects.create(name="Bench", rate_confirmed_at=datetime.now(UTC))
    return Service.objects.create(
        upstream_id=SERVICE_ID,
        category=category,
        name=row["name"],
        type=row["type"],
        rate_upstream_micros=1_500_000,
        min_quantity=10,
        max_quantity=10_000,
        search_text="followers bench",
    )


def a_customer(number: int = 1) -> "User":
    """Return a customer with a million in the wallet."""
    from accounts.models import User
    from wallet.operations import credit

    user = User.objects.create_user(f"bench{number}@example.com", None)
    credit(user=user, amount_micros=10**12, kind="adjustment", reference="credit:bench", note="bench")
    return user


def order_rows(user: "User", service: "Service", count: int, **fields: Any) -> list[Any]:
    """Return unsaved orders of 1,000 pieces; forwarding and polling read nothing of the ledger."""
    from orders.models import Order

    return [
        Order(
            user=user,
            service=service,
            title=service.title,
            quantity=1000,
            link="https://example.com/bench",
            price_micros=1_875_000,
            rate_micros=1_875_000,
            rate_upstream_micros=1_500_000,
            rate_per=1000,
            cost_upstream_micros=1_500_000,
            **fields,
        )
        for _each in range(count)
    ]


def seconds_of(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_plain_threads(calls: int, threads: int, post: Callable[[Any, int], None]) -> float:
    """Let plain threads share `calls` numbers, each with a `requests` session of its own; return the seconds."""
    import requests

    numbers, lock = iter(range(calls)), threading.Lock()

    def work() -> None:
        with requests.Session() as session:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                post(session, number)

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            for thread in [pool.submit(work) for _each in range(threads)]:
                thread.result()

    return seconds_of(run)


def machine() -> str:
    """Return processor, memory and Python of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text()) if sys.platform == "linux" else None
    name = found[1] if found else "processor"
    return f"{os.cpu_count()} × {name}, {memory:.0f} GB, Python {sys.version.split()[0]}"
