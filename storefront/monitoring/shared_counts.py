"""What each process counts, added up for all processes of all hosts, so that one address tells of all of them.

Every few seconds a thread of each process adds what its own counters and histograms grew by to a hash in Redis, and
notes that the process is alive. Not prometheus_client's folder of files: that is seen by one host alone, and a worker
has no web server to be asked at. Not a table: some twenty processes would write the same few hundred rows for ever.

What Redis loses begins at zero again, which Prometheus knows of counters. While it is away nothing is lost: the next
push has all of it.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
import structlog
from django_redis import get_redis_connection
from prometheus_client import REGISTRY, Metric

log = structlog.get_logger(__name__)
PUSH_SECONDS = 10.0  # reading ten thousand samples takes 50 ms of a processor
GONE_SECONDS = 4 * PUSH_SECONDS  # a process that was not heard of for so long is gone
KEPT_SECONDS = 30 * 86_400
COUNTED, DESCRIBED, PROCESSES = "metrics:counted", "metrics:described", "metrics:processes"
OURS = ("shop_", "django_", "process_cpu_seconds")
ADDED_UP = ("counter", "histogram", "summary")  # what can be added up; gauges of processes cannot

Key = str  # a sample: family, name and labels as JSON, the same in every process


@dataclass(frozen=True)
class Process:
    """A process that was heard of lately: what it does, and since when; moments in seconds of the epoch."""

    role: str
    began_at: float
    seen_at: float
    memory_bytes: int


class _Sharer:
    """The thread of one process, and what it has told so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[Key, float] = {}
        self._began_at = time.time()
        self._role = ""
        self._ends = threading.Event()

    def start(self, role: str) -> None:
        """Tell of this process from now on, as a `role`: web, worker or beat."""
        if self._role:
            return
        self._role, self._began_at = role, time.time()
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Tell the last of it, and that the process is gone."""
        if not self._role:
            return
        self._ends.set()
        with suppress(redis.RedisError, OSError):
            self.push()
            _server().hdel(PROCESSES, self._name())

    def push(self) -> None:
        """Add what has grown since the last push to what all processes counted. Raises what Redis raises."""
        with self._lock:
            server, descriptions = _server(), dict[str, str]()
            counted = dict(_counted(descriptions))
            # What did not grow is told, too, where nobody knows it yet: a histogram needs all of its buckets, and what
            # begins at zero is seen to grow.
            known: Mapping[Key, float] = self._told if server.exists(COUNTED) else {}
            with server.pipeline(transaction=True) as steps:
                for key, value in counted.items():
                    growth = value - self._told.get(key, 0.0)
                    if growth or key not in known:
                        steps.hincrbyfloat(COUNTED, key, growth)
                steps.hset(DESCRIBED, mapping=descriptions)
                for hash_name in (COUNTED, DESCRIBED):
                    steps.expire(hash_name, KEPT_SECONDS)
                if self._role:
                    told = {"role": self._role, "began_at": self._began_at, "seen_at": time.time()}
                    steps.hset(PROCESSES, self._name(), json.dumps(told | {"memory_bytes": _memory_bytes()}))
                steps.execute()
            self._told = counted

    def _run(self) -> None:
        away = False
        while True:
            try:
                self.push()
            except Exception as error:  # Redis is away, most likely; whatever it is, the next push tells all of it
                if not away:
                    log.warning("metrics_not_shared", error=type(error).__name__)
                away = True
            else:
                away = False
            if self._ends.wait(PUSH_SECONDS):
                return

    def _name(self) -> str:
        return f"{self._role}:{socket.gethostname()}:{os.getpid()}"


_sharer = _Sharer()


def _start_anew() -> None:
    """A copy of a process has neither its thread nor anything to tell of what was counted before it."""
    global _sharer
    role = _sharer._role
    _sharer = _Sharer()
    _sharer._told = dict(_counted({}))
    if role:
        _sharer.start(role)


os.register_at_fork(after_in_child=_start_anew)


def start(role: str) -> None:
    """Tell of this process from now on, as a `role`: web, worker or beat."""
    _sharer.start(role)


def stop() -> None:
    """Tell the last of what this process counted; it ends."""
    _sharer.stop()


def push() -> None:
    """Tell now what this process counted. Raises what Redis raises."""
    _sharer.push()


def counted_by_all() -> list[Metric]:
    """Return what all processes counted together. Raises what Redis raises."""
    server = _server()
    families: dict[str, Metric] = {}
    for family, told in sorted(server.hgetall(DESCRIBED).items()):
        kind, text = json.loads(told)
        families[family.decode()] = Metric(family.decode(), text, kind)
    for key, value in server.hgetall(COUNTED).items():
        family, name, labels = json.loads(key)
        if family in families:
            families[family].add_sample(name, labels, float(value))
    for metric in families.values():
        metric.samples.sort(key=_place)
    return list(families.values())


def processes() -> list[Process]:
    """Return the processes that were heard of lately; the others are forgotten. Raises what Redis raises."""
    server, found = _server(), []
    for name, told in server.hgetall(PROCESSES).items():
        process = Process(**json.loads(told))
        if process.seen_at < time.time() - GONE_SECONDS:
            server.hdel(PROCESSES, name)
        else:
            found.append(process)
    return found


def _server() -> Any:
    return get_redis_connection("default")


def _counted(descriptions: dict[str, str]) -> Iterator[tuple[Key, float]]:
    """Yield what this process counted; `descriptions` is filled with kind and text of each family."""
    for metric in REGISTRY.collect():
        if metric.type not in ADDED_UP or not metric.name.startswith(OURS):
            continue
        descriptions[metric.name] = json.dumps([metric.type, metric.documentation])
        for sample in metric.samples:
            if not sample.name.endswith("_created"):
                yield _key(metric.name, sample.name, tuple(sample.labels.items())), sample.value


@cache
def _key(family: str, name: str, labels: tuple[tuple[str, str], ...]) -> Key:
    return json.dumps([family, name, dict(labels)], sort_keys=True)


def _place(sample: Any) -> tuple[Any, ...]:
    """Return where a sample stands in its family: the buckets of a histogram together, the widest last."""
    others = sorted((name, value) for name, value in sample.labels.items() if name != "le")
    return others, sample.name, float(sample.labels.get("le", "inf"))


def _memory_bytes() -> int:
    try:
        with open("/proc/self/statm") as pages:
            return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no Linux
        return 0
