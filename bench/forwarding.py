"""Orders forwarded per second, as a share of what plain threads over `requests` reach with as many calls in flight.

`python -m bench.forwarding --orders 800`. Upstream (the sandbox) takes 100 ms for each answer; PostgreSQL, Valkey and
the sandbox run beside it on the same machine.
"""

import argparse
import statistics
import sys
from typing import Any

from bench.stage import SERVICE_ID, a_customer, a_service, in_plain_threads, machine, order_rows, seconds_of, shop

AIM = 0.70


def plain(sandbox: Any, calls: int, in_flight: int) -> float:
    """Post `calls` purchases from plain threads, read each answer; return how many a second."""
    form = {"key": sandbox.key, "action": "add", "service": SERVICE_ID, "quantity": 1000}

    def post(session: Any, number: int) -> None:
        answer = session.post(sandbox.url, data={**form, "link": f"https://example.com/plain/{number}"}, timeout=30)
        assert int(answer.json()["order"]) > 0

    return calls / in_plain_threads(calls, in_flight, post)


def forwarded(user: Any, service: Any, count: int) -> float:
    """Let so many paid orders wait, forward them all as the sweep does; return how many a second."""
    from orders.models import Order, Status
    from orders.operations import sweep_queue
    from upstream.client import default_client

    Order.objects.bulk_create(order_rows(user, service, count))
    waiting = Order.objects.filter(status=Status.PAID)
    client = default_client()

    per_second = count / seconds_of(lambda: sweep_queue(client=client, seconds=600))
    assert not waiting.exists()
    return per_second


def run(orders: int, in_flight: int, latency: float, rounds: int) -> bool:
    """Measure and print; return whether the aim was met."""
    limits = {"UPSTREAM_MAX_IN_FLIGHT": in_flight, "UPSTREAM_MAX_PER_SECOND": 100_000}
    with shop(**limits) as sandbox:
        from orders.models import Order, Status

        service, user = a_service(sandbox), a_customer()
        forwarded(user, service, 2 * in_flight)  # connections, opening balance, imports
        sandbox.set(latency_seconds=latency)
        results = [(plain(sandbox, orders, in_flight), forwarded(user, service, orders)) for _round in range(rounds)]
        placed = Order.objects.filter(status=Status.PENDING).count()
        upstream = len(sandbox.orders)
        assert upstream == placed + rounds * orders, f"{upstream} upstream, {placed} placed here"
    limit, ours = (statistics.median(column) for column in zip(*results, strict=True))
    share = statistics.median(mine / most for most, mine in results)
    print(f"{orders} orders, {in_flight} in flight, answers in {latency * 1000:.0f} ms, {rounds} rounds; {machine()}")
    print(f"plain threads over requests  {limit:7.1f} a second")
    print(f"forwarded                    {ours:7.1f} a second, {share:.0%} of that (aim: at least {AIM:.0%})")
    return share >= AIM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=800, help="orders a round")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds upstream takes to answer")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts")
    arguments = parser.parse_args()
    return 0 if run(arguments.orders, arguments.in_flight, arguments.latency, arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
