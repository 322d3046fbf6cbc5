"""Real Celery processes for tests: they use the test's database, its Valkey and its sandbox."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from storefront.demo.processes import Child
from tests.warm import WarmProcesses


def database_url() -> str:
    """Return the DATABASE_URL of the database this test runs on."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST'] or ''}"
        f"{':' + str(database['PORT']) if database['PORT'] else ''}/{database['NAME']}"
    )


class Workers:
    """Starts workers and beat, and stops what it started."""

    def __init__(self, processes: WarmProcesses, folder: Path, **environment: str) -> None:
        self._processes = processes
        self._folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "FORWARD_ORDERS_EVERY_SECONDS": "1",
            "RELEASE_CLAIMS_EVERY_SECONDS": "1",
            "POLL_ORDERS_EVERY_SECONDS": "1",
            "POLL_NUMBERS_EVERY_SECONDS": "1",
            "RESUME_FORWARDING_EVERY_SECONDS": "1",
            "ORDERS_POLL_MIN_SECONDS": "1",
            "ORDERS_WAKE_SECONDS": "1",
            "SMS_POLL_SECONDS": "1",
            # The syncs have tests of their own.
            "SYNC_CATALOG_EVERY_SECONDS": "86400",
            "SYNC_SMS_EVERY_SECONDS": "86400",
            **environment,
        }

    def worker(self, name: str = "worker", *, queues: str = "", **environment: str) -> Child:
        """Start a worker like production's; of these queues alone, with commas between them, where any are named."""
        arguments = ["worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "INFO"]
        arguments += ["--queues", queues] if queues else []
        return self._start(name, [*arguments, "--without-gossip", "--without-mingle"], environment)

    def beat(self, name: str = "beat", **environment: str) -> Child:
        """Start beat, with a schedule file of its own in the test's folder."""
        schedule = str(self._folder / f"{name}.schedule")
        return self._start(name, ["beat", "--schedule", schedule, "--loglevel", "INFO"], environment)

    def kill(self, child: Child) -> None:
        """End a child as a power cut would."""
        child.process.kill()
        child.process.wait()

    def _start(self, name: str, arguments: list[str], environment: dict[str, str]) -> Child:
        command = ["celery", "-A", "storefront", *arguments]
        log = self._folder / f"{name}.log"
        return self._processes.start_warm(name, command, log=log, environment={**self.environment, **environment})


def wait_for(question: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Ask until the answer is true and return it. Raises AssertionError when the time is over."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if answer := question():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} seconds: {what}")
