"""Which workers a stage runs, and how each is started: some for everything, or those of docker-compose.yml."""

import re
import shlex
from dataclasses import dataclass
from typing import Any

import yaml

from storefront.demo.plan import ROOT

# Two workers of one machine need names of their own.
HOST = "stage"


@dataclass(frozen=True)
class Worker:
    """One worker process: its name, what follows `celery`, and what it finds in its environment besides."""

    name: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def alike(count: int) -> list[Worker]:
    """Return so many workers that serve all queues with four threads."""
    arguments = ("-A", "storefront", "worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "INFO")
    return [_named(f"worker {number + 1}", arguments, ()) for number in range(count)]


def by_queue(*, of_money: int = 1) -> list[Worker]:
    """Return the workers as docker-compose.yml starts them; of the queue that sends orders, so many."""
    workers = []
    for name, service in _services().items():
        if not name.startswith("worker-"):
            continue
        command = tuple(shlex.split(service["command"])[1:])
        threads = _default(service["environment"]["WORKER_CONCURRENCY"])
        for number in range(of_money if name == "worker-money" else 1):
            title = f"{name} {number + 1}" if number else name
            workers.append(_named(title, command, (("WORKER_CONCURRENCY", threads),)))
    return workers


def grace_seconds(name: str) -> float:
    """Return how long docker-compose.yml waits for this service once it is told to stop."""
    return float(_services()[name.partition(" ")[0]]["stop_grace_period"].removesuffix("s"))


def _named(name: str, arguments: tuple[str, ...], environment: tuple[tuple[str, str], ...]) -> Worker:
    return Worker(name, (*arguments, "--hostname", f"{name.replace(' ', '-')}@{HOST}"), environment)


def _services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return services


def _default(text: str) -> str:
    """Return what compose puts in for "${NAME:-value}" where NAME is not set; other texts as they are."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
