"""Looks at a running stage every few seconds: memory, connections, and how long things have been waiting."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from bench.load_test.stage import Stage
from bench.processor import Tree

SERVERS = ("PostgreSQL", "Valkey", "sandbox")


@dataclass
class Sample:
    """One look: megabytes by process, open connections to the database, seconds that the oldest of each has waited."""

    at: float
    memory_mb: dict[str, float]
    connections: int = 0
    waiting: dict[str, float] = field(default_factory=dict)


class Sampler:
    """A thread that looks every `seconds`; what could not be looked at, because a server was away, is left out."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        self.samples: list[Sample] = []
        self._stage, self._seconds = stage, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            with contextlib.suppress(DatabaseError, InterfaceError, OSError):
                self.samples.append(self._look())
            connection.close()

    def _look(self) -> Sample:
        parts = {name: pid for name, pid in self._stage.parts.items() if name != "sandbox"}
        sample = Sample(time.monotonic(), {name: Tree(pid).memory_mb() for name, pid in parts.items()})
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
            sample.connections = cursor.fetchone()[0]
        sample.waiting = waiting(now)
        return sample


def waiting(now: Any) -> dict[str, float]:
    """Return for how many seconds the oldest of each kind has been waiting."""
    from storefront.metrics import shop_facts
    from support.status import measures

    due = measures.next_question_due()
    queues = shop_facts._queues(now)  # as /metrics tells them
    return {
        "an order to be sent": measures.oldest_waits(now),
        "a question to be asked": 0.0 if due is None else max((now - due).total_seconds(), 0.0),
        "a mail": queues["shop_mail_oldest_waiting_seconds"][0][1],
        "a webhook": queues["shop_webhook_oldest_waiting_seconds"][0][1],
    }


@dataclass
class Trend:
    """How one figure was near the end, beside how it was a while before."""

    before: float
    after: float

    @property
    def growth(self) -> float:
        return self.after / self.before - 1 if self.before else 0.0


def trend(samples: Sequence[Sample], figure: Callable[[Sample], float | None]) -> Trend | None:
    """Compare the medians of the two halves of these samples; None where there are too few."""
    values = [value for value in map(figure, samples) if value is not None]
    if len(values) < 4:
        return None
    middle = len(values) // 2
    return Trend(median(values[:middle]), median(values[middle:]))
