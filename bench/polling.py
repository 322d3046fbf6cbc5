"""Polling many open orders: orders a second as a share of plain threads over `requests`, and SQL statements.

`python -m bench.polling --orders 20000`. The orders are rows here, and rows in the sandbox's own state file, so that
each is asked about with a `status` of its own, which takes the sandbox 100 ms: one purchase is made, and copied under
new ids. Seven of ten orders have nothing new to say, two began, one is completed; their service's pace is learned and
their customer told on the way. Refunds are left out: they are one by one on purpose, and rare.
"""

import argparse
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from bench.stage import SERVICE_ID, a_customer, a_service, in_plain_threads, machine, order_rows, seconds_of, shop

AIM, STATEMENTS_AIM = 0.70, 30
STATUSES = [*["Pending"] * 7, *["In progress"] * 2, "Completed"]


def orders_upstream(sandbox: Any, state: Path, count: int) -> list[int]:
    """Make one purchase, copy it under `count` new ids in the sandbox's state file, and return those."""
    import msgspec

    from upstream.sandbox.store import Store

    client = sandbox.client()
    bought = int(client.add(service_id=SERVICE_ID, link="https://example.com/bench", quantity=1000).order_id)
    client.close()
    store = Store(state)
    pattern = store.order(bought)
    first = int(store.get("next_id"))
    with store.transaction():
        for number in range(count):
            status = STATUSES[number % len(STATUSES)]
            store.save_order(msgspec.structs.replace(pattern, id=first + number, status=status, due=None))
        store.put("next_id", first + count)
    store.close()
    return list(range(first, first + count))


def orders_here(user: Any, service: Any, upstream_ids: list[int]) -> None:
    """Let these upstream orders be open orders of ours that were sent an hour ago and are due now."""
    from orders.models import Order, Status

    now = datetime.now(UTC)
    rows = order_rows(
        user, service, len(upstream_ids), status=Status.PENDING, sent_at=now - timedelta(hours=1), next_poll_at=now
    )
    for row, upstream_id in zip(rows, upstream_ids, strict=True):
        row.upstream_id = str(upstream_id)
    Order.objects.bulk_create(rows, batch_size=2000)


def plain(sandbox: Any, upstream_ids: list[int], in_flight: int) -> float:
    """Ask about these orders from plain threads, read each answer; return how many a second."""
    form = {"key": sandbox.key, "action": "status"}

    def post(session: Any, number: int) -> None:
        answer = session.post(sandbox.url, data={**form, "order": upstream_ids[number]}, timeout=30)
        assert answer.json()["status"]

    return len(upstream_ids) / in_plain_threads(len(upstream_ids), in_flight, post)


def polled(count: int) -> float:
    """Poll the orders that are due, as the task does; return how many a second."""
    from orders.fulfilment.poll import poll_open
    from upstream.client import default_client

    client, answers = default_client(), []
    seconds = seconds_of(
        lambda: answers.append(poll_open(kind="service", client=client, seconds=3600, clock=timezone.now))
    )
    assert answers == [count], f"{answers} answers about {count} orders"
    return count / seconds


def run(orders: int, in_flight: int, latency: float, sample: int) -> bool:
    """Measure and print; return whether the aims were met."""
    limits = {"UPSTREAM_MAX_IN_FLIGHT": in_flight, "UPSTREAM_MAX_PER_SECOND": 100_000}
    with tempfile.TemporaryDirectory(prefix="bench-sandbox-") as folder:
        state = Path(folder) / "sandbox.sqlite3"
        with shop(sandbox_state=state, **limits) as sandbox:
            from django.db import connection
            from django.test.utils import CaptureQueriesContext

            from orders.models import Order, Status

            service, user = a_service(sandbox), a_customer()
            ids = orders_upstream(sandbox, state, orders + 1000)
            orders_here(user, service, ids[:1000])
            with CaptureQueriesContext(connection) as statements:
                polled(1000)
            orders_here(user, service, ids[1000:])
            sandbox.set(latency_seconds=latency)
            before = plain(sandbox, ids[:sample], in_flight)
            ours = polled(orders)
            after = plain(sandbox, ids[:sample], in_flight)
            completed = Order.objects.filter(status=Status.COMPLETED).count()
            assert completed == len(ids) // len(STATUSES), f"{completed} completed"
    limit = (before + after) / 2
    share = ours / limit
    print(f"{orders:,} open orders, {in_flight} in flight, answers in {latency * 1000:.0f} ms; {machine()}")
    print(
        f"plain threads over requests  {limit:7.1f} a second ({sample:,} before and after: {before:.1f}, {after:.1f})"
    )
    print(f"polled                       {ours:7.1f} a second, {share:.0%} of that (aim: at least {AIM:.0%})")
    print(f"SQL statements for 1,000     {len(statements):7}, BEGIN and COMMIT included (aim: under {STATEMENTS_AIM})")
    return share >= AIM and len(statements) < STATEMENTS_AIM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds upstream takes to answer")
    parser.add_argument("--sample", type=int, default=2000, help="calls of the plain threads, before and after")
    arguments = parser.parse_args()
    return 0 if run(arguments.orders, arguments.in_flight, arguments.latency, arguments.sample) else 1


if __name__ == "__main__":
    sys.exit(main())
