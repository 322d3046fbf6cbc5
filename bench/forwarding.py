"""Orders forwarded per second, as a share of what plain threads over `requests` reach with as many calls in flight.

`python -m bench.forwarding --orders 800`. Upstream (the sandbox) takes 100 ms for each answer; PostgreSQL, Valkey and
the sandbox run beside it on the same machine.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.utils import timezone

from bench.stage import SERVICE_ID, a_customer, a_service, in_plain_threads, machine, order_rows, seconds_of, shop

ROOT = Path(__file__).resolve().parents[1]
AIM = 0.80


def plain(sandbox: Any, calls: int, in_flight: int) -> float:
    """Post `calls` purchases from plain threads, read each answer; return how many a second."""
    form = {"key": sandbox.key, "action": "add", "service": SERVICE_ID, "quantity": 1000}

    def post(session: Any, number: int) -> None:
        answer = session.post(sandbox.url, data={**form, "link": f"https://example.com/plain/{number}"}, timeout=30)
        assert int(answer.json()["order"]) > 0

    return calls / in_plain_threads(calls, in_flight, post)


class WorkerPool:
    """Worker processes that sweep the queue when they are told to; what they share is the limit of calls in flight."""

    def __init__(self, workers: int) -> None:
        command = [sys.executable, "-m", "bench.forwarding", "--sweeping"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._workers = [subprocess.Popen(command, cwd=ROOT, **pipes) for _each in range(workers)]

    def sweep(self) -> int:
        """Let all of them sweep until the queue is empty; return how many orders they tried."""
        for worker in self._workers:
            worker.stdin.write("sweep\n")
            worker.stdin.flush()
        return sum(int(worker.stdout.readline()) for worker in self._workers)

    def stop(self) -> None:
        for worker in self._workers:
            worker.stdin.close()
            worker.wait(timeout=30)


def sweeping() -> None:
    """Be one of the workers: sweep for each line that comes, say how many orders were tried."""
    import django

    django.setup()
    from orders.fulfilment.queue import sweep_queue
    from upstream.client import default_client

    for _line in sys.stdin:
        print(sweep_queue(client=default_client(), seconds=600, clock=timezone.now), flush=True)


def forwarded(pool: WorkerPool, user: Any, service: Any, count: int) -> float:
    """Let so many paid orders wait, let the workers forward them all; return how many a second."""
    from orders.models import Order, Status

    Order.objects.bulk_create(order_rows(user, service, count))
    tried: list[int] = []
    per_second = count / seconds_of(lambda: tried.append(pool.sweep()))
    assert tried == [count], f"{tried} tried of {count}"
    assert not Order.objects.filter(status=Status.PAID).exists()
    return per_second


def connections_so_far() -> int:
    """Return how many connections have been opened to this database, as PostgreSQL counts them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_force_next_flush(), sessions FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[1])


def run(orders: int, in_flight: int, workers: int, latency: float, rounds: int) -> bool:
    """Measure and print; return whether the aim was met."""
    limits = {"UPSTREAM_MAX_IN_FLIGHT": in_flight, "UPSTREAM_MAX_PER_SECOND": 100_000}
    with shop(**limits) as sandbox:
        from orders.models import Order, Status

        service, user = a_service(sandbox), a_customer()
        pool = WorkerPool(workers)
        forwarded(pool, user, service, 4 * in_flight)  # connections, opening balance, imports
        sandbox.set(latency_seconds=latency)
        opened = connections_so_far()
        results = [
            (plain(sandbox, orders, in_flight), forwarded(pool, user, service, orders)) for _round in range(rounds)
        ]
        opened = connections_so_far() - opened
        pool.stop()
        placed = Order.objects.filter(status=Status.PENDING).count()
        upstream = len(sandbox.orders)
        assert upstream == placed + rounds * orders, f"{upstream} upstream, {placed} placed here"
    limit, ours = (statistics.median(column) for column in zip(*results, strict=True))
    share = statistics.median(mine / maximum for maximum, mine in results)
    print(f"{orders} orders, {in_flight} in flight, answers in {latency * 1000:.0f} ms, {rounds} rounds; {machine()}")
    print(f"plain threads over requests  {limit:7.1f} a second")
    print(f"forwarded by {workers} worker(s)      {ours:7.1f} a second, {share:.0%} of that (aim: at least {AIM:.0%})")
    print(f"connections opened meanwhile {opened:7}")
    return share >= AIM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=800, help="orders a round")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2, help="processes that forward")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds upstream takes to answer")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts")
    parser.add_argument("--sweeping", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.sweeping:
        sweeping()
        return 0
    numbers = arguments.orders, arguments.in_flight, arguments.workers, arguments.latency, arguments.rounds
    return 0 if run(*numbers) else 1


if __name__ == "__main__":
    sys.exit(main())
