"""Orders a second from end to end: added over the API, forwarded upstream, completed; and what each part spends on one.

`python -m bench.throughput`. Web, workers by queue and beat run as docker-compose.yml starts them, with PostgreSQL and
Valkey of their own; the sandbox answers in 50 ms and completes services within five seconds. The limits are set high.

- everything at once: customers add as fast as they are answered, but wait while more orders than that are not sent yet;
- a backlog: forwarding is paused while so many are added, then the pause ends.

Other work on the machine makes orders slower, but not dearer: what counts is the processor time of all parts for one.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.load_test.layout import by_queue
from bench.load_test.run import prepare
from bench.load_test.stage import Stage
from bench.processor import Tree, busy_seconds, spent
from bench.serving import Connection, post_request
from bench.stage import in_plain_threads, machine

AIM_PER_SECOND = 100.0
UNLIMITED = "1000000000"
SETTINGS = {
    "UPSTREAM_MAX_PER_SECOND": "100000",
    "API_CALLS_PER_MINUTE": UNLIMITED,
    "API_CALLS_PER_MINUTE_PER_ADDRESS": UNLIMITED,
    "API_CALLS_AT_ONCE": "8",
    # When the sandbox has finished what was placed: one question for each order, as a rule.
    "ORDERS_POLL_MIN_SECONDS": "5",
}
AT_ONCE = "at once"
MOST_WAITING = 200
GIVE_UP_SECONDS = 300.0
PARTS = {"worker-money": "money", "worker": "workers"}


@dataclass
class Count:
    """What was done in a window of so many seconds, and the processor seconds by part."""

    seconds: float = 0.0
    added: int = 0
    forwarded: int = 0
    completed: int = 0
    processor: dict[str, float] = field(default_factory=dict)
    machine: float = 0.0
    statements: int = 0

    @property
    def ms_an_order(self) -> dict[str, float]:
        """Milliseconds of processor by part for each order that was forwarded."""
        return {part: 1000 * seconds / max(self.forwarded, 1) for part, seconds in self.processor.items()}

    @property
    def others(self) -> float:
        """How many processors the rest of the machine kept busy."""
        return max(self.machine - sum(self.processor.values()), 0.0) / self.seconds


class Feeder:
    """Customers who add orders over connections that stay open, each with a key of its own."""

    def __init__(self, site: str, keys: list[str], services: list[int]) -> None:
        self._port, self._keys, self._services = urlsplit(site).port or 0, keys, services
        self._stop, self._may_add = threading.Event(), threading.Event()
        self._left: int | None = None
        self._lock = threading.Lock()
        self.moments: list[float] = []  # of the answers
        self.failure: BaseException | None = None

    @contextlib.contextmanager
    def adding(self) -> Iterator[None]:
        """Add until the block ends, while no more than MOST_WAITING orders wait to be sent."""
        threads = [threading.Thread(target=self._guarded, args=(number,)) for number in range(len(self._keys))]
        threads.append(threading.Thread(target=self._look_at_the_queue))
        self._stop.clear()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._may_add.set()
            for thread in threads:
                thread.join()
            if self.failure is not None:
                raise self.failure

    def add(self, count: int) -> None:
        """Add so many and return when all are answered."""
        self._left = count
        self._stop.clear()
        self._may_add.set()
        threads = [threading.Thread(target=self._guarded, args=(number,)) for number in range(len(self._keys))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._left = None
        if self.failure is not None:
            raise self.failure

    def _guarded(self, number: int) -> None:
        try:
            self._add_on(number)
        except BaseException as error:
            self.failure = error

    def _add_on(self, number: int) -> None:
        connection = Connection(self._port)
        while not self._stop.is_set() and self._one_more():
            self._may_add.wait()
            body = {
                "key": self._keys[number], "action": "add", "service": self._services[number % len(self._services)],
                "quantity": 1000, "link": f"https://example.com/{uuid.uuid4().hex}", "request_id": uuid.uuid4().hex,
            }  # fmt: skip
            request = post_request("/api/v2", urlencode(body))
            try:
                answer = connection.ask(request)
            except (OSError, AssertionError):  # it was idle for too long, or its process has had its requests
                connection = Connection(self._port)
                answer = connection.ask(request)
            assert answer.startswith(b'{"order"'), answer[:200]
            self.moments.append(time.time())

    def _one_more(self) -> bool:
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0

    def _look_at_the_queue(self) -> None:
        from django.db import connection

        try:
            while not self._stop.wait(0.2):
                self._may_add.set() if unsent() < MOST_WAITING else self._may_add.clear()
        finally:
            connection.close()


def unsent() -> int:
    """Return how many orders wait to be sent."""
    from orders.models import Order, Status

    return Order.objects.filter(status__in=(Status.PAID, Status.SENDING)).count()


class Meter:
    """Counts what happens between `begin` and `end`."""

    def __init__(self, stage: Stage, feeder: Feeder, *, statements: bool) -> None:
        self._stage, self._feeder, self._statements = stage, feeder, statements

    def begin(self) -> None:
        """Begin to count."""
        if self._statements:
            run_sql("SELECT pg_stat_statements_reset()")
        self._began, self._busy, self._before = time.time(), busy_seconds(), self._look()

    def end(self) -> Count:
        """Return what was counted."""
        processor, busy, ended = spent(self._before, self._look()), busy_seconds() - self._busy, time.time()
        count = Count(seconds=ended - self._began, processor=processor, machine=busy)
        count.added = sum(self._began <= moment < ended for moment in self._feeder.moments)
        count.forwarded, count.completed = done_between(self._began, ended)
        if self._statements:
            count.statements = int(run_sql("SELECT sum(calls) FROM pg_stat_statements")[0][0])
        return count

    def _look(self) -> dict[str, float]:
        used: dict[str, float] = {}
        for name, pid in {**self._stage.parts, "client": os.getpid()}.items():
            part = part_of(name)
            seconds = own_seconds() if name == "client" else Tree(pid).seconds()
            used[part] = used.get(part, 0.0) + seconds
        return used


def part_of(name: str) -> str:
    """Return under which heading the time of this process is shown."""
    return next((part for start, part in PARTS.items() if name.startswith(start)), name)


def own_seconds() -> float:
    times = os.times()
    return times.user + times.system


def done_between(began: float, ended: float) -> tuple[int, int]:
    """Return how many orders upstream accepted, and how many came to their end, between two moments of the epoch."""
    from orders.models import Order

    window = datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(ended, UTC)
    return tuple(Order.objects.filter(**{f"{name}__range": window}).count() for name in ("answered_at", "finished_at"))


def run_sql(sql: str) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def at_once(meter: Meter, feeder: Feeder, *, warm_up: float, seconds: float) -> Count:
    """Add, forward and complete at the same time."""
    with feeder.adding():
        time.sleep(warm_up)
        meter.begin()
        time.sleep(seconds)
        return meter.end()


def backlog(meter: Meter, feeder: Feeder, orders: int) -> Count:
    """Let so many orders wait behind a pause, then let them go; counted until the last is sent."""
    from orders.fulfilment.pauses import end_pause, pause_forwarding
    from orders.models import ForwardingPause, Order, Status

    settle()
    pause = pause_forwarding(reason=ForwardingPause.Reason.ADMIN, now=datetime.now(UTC))
    feeder.add(orders)
    meter.begin()
    end_pause(pause.pk, now=datetime.now(UTC))
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while Order.objects.filter(status__in=(Status.PAID, Status.SENDING)).exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"{unsent()} orders are still not sent")
        time.sleep(0.05)
    return meter.end()


def settle() -> None:
    """Wait until nothing is under way any more."""
    from orders.models import UPSTREAM_OPEN, Order, Status

    deadline = time.monotonic() + GIVE_UP_SECONDS
    moving = Order.objects.filter(status__in=(Status.PAID, Status.SENDING, *UPSTREAM_OPEN))
    while left := moving.count():
        if time.monotonic() > deadline:
            raise SystemExit(f"{left} orders do not come to their end")
        time.sleep(0.5)


def run(arguments: argparse.Namespace) -> bool:
    """Measure and print; return whether the aim was met."""
    options = {"shared_preload_libraries": "pg_stat_statements"} if arguments.statements else {}
    most = max(arguments.workers)
    settings = {**SETTINGS, "UPSTREAM_MAX_IN_FLIGHT": str(arguments.in_flight)}
    with contextlib.ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-throughput-")))
        folder.mkdir(parents=True, exist_ok=True)
        workers = by_queue(of_money=most)
        stage = stack.enter_context(Stage(folder, workers=workers, environment=settings, postgres_options=options))
        sandbox_alone = cost_of_the_sandbox(stage)
        accounts, goods, _admin = prepare(stage, customers=arguments.customers, log=lambda text: None)
        stage.sandbox.set(latency_seconds=arguments.latency)
        if arguments.statements:
            run_sql("CREATE EXTENSION pg_stat_statements")
        later = [f"worker-money {number + 1}" for number in range(1, most)]
        stage.open_shop(without=later)
        feeder = Feeder(stage.site, [account.api_key for account in accounts], goods.services)
        meter = Meter(stage, feeder, statements=arguments.statements)
        counts: list[tuple[int, str, Count]] = []
        for number in sorted(arguments.workers):
            for name in later[: number - 1]:
                if name not in stage.parts:
                    stage.start(name)
            stage.await_workers()
            count = at_once(meter, feeder, warm_up=arguments.warm_up, seconds=arguments.seconds)
            counts.append((number, AT_ONCE, count))
            if arguments.statements:
                show_statements()
            counts.append((number, f"backlog of {arguments.backlog}", backlog(meter, feeder, arguments.backlog)))
            if arguments.statements:
                show_statements()
    show(counts, sandbox_alone, arguments)
    return verdict(counts)


def cost_of_the_sandbox(stage: Stage) -> tuple[float, float]:
    """Return how many purchases and questions a second the sandbox alone answers, and its milliseconds for each."""
    sandbox = stage.sandbox
    sandbox.set_balance("1000000.00")
    service = sandbox.add_service(name="Alone", type="Default", category="Alone", rate="1.50", min=10, max=10_000)
    calls = 1000

    def post(session: Any, number: int) -> None:
        form = {"key": sandbox.key, "action": "add", "service": service, "quantity": 1000}
        if number % 2:
            form = {"key": sandbox.key, "action": "balance"}
        else:
            form["link"] = f"https://example.com/{number}"
        assert "error" not in session.post(sandbox.url, data=form, timeout=30).json()

    tree = Tree(sandbox.pid)
    before = tree.seconds()
    seconds = in_plain_threads(calls, 8, post)
    return calls / seconds, 1000 * (tree.seconds() - before) / calls


def show(counts: list[tuple[int, str, Count]], sandbox_alone: tuple[float, float], options: argparse.Namespace) -> None:
    """Print what was measured, as tables fit for a document."""
    answers = f"answers in {options.latency * 1000:.0f} ms, {options.in_flight} in flight"
    print(f"{answers}, {options.customers} keys; {machine()}")
    alone = f"{sandbox_alone[0]:.0f} calls a second, {sandbox_alone[1]:.2f} ms of processor for each"
    print(f"the sandbox alone: {alone}\n")
    print(
        "| workers of money | | added /s | forwarded /s | completed /s | ms of processor an order | busy with others |"
    )
    print("|---|---|---|---|---|---|---|")
    for workers, how, count in counts:
        rates = (f"{number / count.seconds:.1f}" for number in (count.added, count.forwarded, count.completed))
        total = sum(count.ms_an_order.values())
        print(f"| {workers} | {how} | {' | '.join(rates)} | {total:.1f} | {count.others:.1f} processors |")
    parts = list(dict.fromkeys(part for _workers, _how, count in counts for part in count.processor))
    print(f"\n| ms of processor for an order | {' | '.join(parts)} |{' statements |' if options.statements else ''}")
    print("|---" * (len(parts) + 1 + options.statements) + "|")
    for workers, how, count in counts:
        shown = [f"{count.ms_an_order[part]:.2f}" for part in parts]
        if options.statements:
            shown.append(f"{count.statements / max(count.forwarded, 1):.1f}")
        print(f"| {workers}, {how} | {' | '.join(shown)} |")


def show_statements() -> None:
    """Print which statements were made most, and which took the server longest."""
    rows = run_sql(
        "SELECT calls, total_exec_time + total_plan_time, regexp_replace(query, E'\\\\s+', ' ', 'g')"
        " FROM pg_stat_statements WHERE calls > 20 ORDER BY 2 DESC LIMIT 40"
    )
    for calls, milliseconds, query in rows:
        print(f"{calls:8} {milliseconds:9.1f} ms  {query[:230]}")
    print()


def verdict(counts: list[tuple[int, str, Count]]) -> bool:
    """Print whether orders are forwarded fast enough, and what they would have to cost at most; return whether."""
    fastest = max(count.forwarded / count.seconds for _workers, _how, count in counts)
    cheapest = min(sum(count.ms_an_order.values()) for _workers, how, count in counts if how == AT_ONCE)
    allowed = 1000 * (os.cpu_count() or 1) / AIM_PER_SECOND
    met = fastest >= AIM_PER_SECOND
    print(f"\n{'✓' if met else '✗'} {fastest:.0f} forwarded a second (aim: at least {AIM_PER_SECOND:.0f}); at once")
    print(
        f"  an order takes {cheapest:.1f} ms of processor in all; this machine has {allowed:.0f} for each at that rate"
    )
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="processes of the queue that sends")
    parser.add_argument("--customers", type=int, default=8, help="keys, and connections that add")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds upstream takes to answer")
    parser.add_argument("--warm-up", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=40.0, help="how long each window is")
    parser.add_argument("--backlog", type=int, default=2000, help="orders that wait")
    parser.add_argument("--folder", type=Path, help="keep the logs in this folder")
    parser.add_argument(
        "--statements", action="store_true", help="count statements and show the dearest: costs a little"
    )
    return 0 if run(parser.parse_args()) else 1


if __name__ == "__main__":
    sys.exit(main())
