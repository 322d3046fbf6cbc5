"""How fast the codes of 2,000 open numbers come through one worker, from upstream to the database and to the page.

`python -m bench.sms`. The worker, beat and gunicorn are processes as in production, the sandbox answers in 50 ms and
the shop may ask 50 times a second. Numbers are bought as a Poisson stream; a share of them gets a code after a delay
that is log-normal, the others stay silent until they expire: so that 2,000 are open, most of them old and silent. The
stream of the last twenty minutes is laid out at the start, in the tables here and in the sandbox's; then it goes on.
"""

import argparse
import heapq
import math
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import requests

from bench.pages import cookie_of
from bench.serving import server
from bench.stage import a_customer, machine, shop

LIFETIME, GRACE = 1200.0, 60.0
AIM_SECONDS, AIM_PAGE_SECONDS, PER_SECOND = 6.0, 2.0, 50
WATCHERS, OTHERS = 30, 100
PAGE_ASKS_EVERY = 1.5  # as templates/sms/waiting.html does
MEDIAN_DELAY = 14.0


@dataclass(frozen=True)
class Model:
    """How codes arrive: which share of the numbers gets one, and how widely its delay is spread."""

    open_numbers: int
    share: float
    sigma: float

    def delay(self, rng: random.Random) -> float | None:
        """Return after how many seconds the code of a number comes; None: never."""
        if rng.random() >= self.share:
            return None
        return math.exp(rng.gauss(math.log(MEDIAN_DELAY), self.sigma))

    @property
    def bought_per_second(self) -> float:
        """The stream that keeps so many numbers open."""
        coded = self.share * MEDIAN_DELAY * math.exp(self.sigma**2 / 2)
        return self.open_numbers / ((1 - self.share) * (LIFETIME + GRACE) + coded)


@dataclass
class Seen:
    """When each code was where, by the order's id, in seconds of the same clock."""

    upstream: dict[int, float] = field(default_factory=dict)
    database: dict[int, float] = field(default_factory=dict)
    page: dict[int, float] = field(default_factory=dict)


def a_project(sandbox: Any) -> Any:
    """Return one project that is for sale upstream, with numbers without end."""
    from sms.models import Country, Project

    client = sandbox.client()
    row = client.sms_projects(country="us")[0]
    client.close()
    sandbox.set_project(row.project_id, available=10**6)
    country = Country.objects.create(code=row.country_id, name="United States", dial_code="+1")
    return Project.objects.create(
        upstream_id=row.project_id,
        country=country,
        name=row.name,
        search_text=row.name.lower(),
        price_upstream_micros=int(row.price * 10**6),
    )


def open_numbers(model: Model, rng: random.Random) -> list[tuple[float, float | None]]:
    """Return age and the seconds until the code (None: never) of the numbers that are open now, oldest first."""
    found, age = [], 0.0
    while (age := age + rng.expovariate(model.bought_per_second)) < LIFETIME:
        delay = model.delay(rng)
        if delay is None or delay > age:
            found.append((age, None if delay is None else delay - age))
    return found[::-1]


def lay_out(sandbox: Any, state: Path, project: Any, users: Sequence[Any], ages: Sequence[float]) -> list[int]:
    """Let numbers of these ages be open, here and in the sandbox's own file; return the ids of their orders."""
    import msgspec

    from orders.models import Kind, Order, Status
    from sms.models import Number
    from sms.poll_interval import SHARE, pace_for
    from upstream.sandbox.orders import iso
    from upstream.sandbox.store import Store

    client = sandbox.client()
    bought = int(client.add_sms(project_id=project.upstream_id, quantity=1, country="us", phone="")[0].order_id)
    client.close()
    now, rng = datetime.now(UTC), random.Random(3)
    pace = pace_for(ages, calls_per_second=PER_SECOND * SHARE)
    store = Store(state)
    pattern, first = store.order(bought), int(store.get("next_id"))
    orders = []
    with store.transaction():
        for place, age in enumerate(ages):
            began = now - timedelta(seconds=age)
            upstream_id = first + place
            expires = iso(began + timedelta(seconds=LIFETIME))
            store.save_order(
                msgspec.structs.replace(
                    pattern, id=upstream_id, due=None, code_at=None, placed=iso(began), expires=expires
                )
            )
            orders.append(
                Order(
                    user=users[place % len(users)],
                    kind=Kind.NUMBER,
                    status=Status.PENDING,
                    title="Bench",
                    quantity=1,
                    price_micros=625_000,
                    rate_micros=625_000,
                    rate_upstream_micros=500_000,
                    rate_per=1,
                    cost_upstream_micros=500_000,
                    charge_upstream_micros=500_000,
                    upstream_id=str(upstream_id),
                    created_at=began,
                    sent_at=began,
                    polled_at=now,
                    next_poll_at=now + timedelta(seconds=rng.uniform(0, pace.interval(age))),
                )
            )
        store.put("next_id", first + len(ages))
    store.close()
    Order.objects.bulk_create(orders, batch_size=1000)
    Number.objects.bulk_create(
        [
            Number(
                order=order,
                project=project,
                state=Number.State.WAITING,
                phone=f"+1415555{place:04}",
                created_at=order.created_at,
                expires_at=order.created_at + timedelta(seconds=LIFETIME),
            )
            for place, order in enumerate(orders)
        ],
        batch_size=1000,
    )
    return [order.pk for order in orders]


class Driver:
    """Goes on buying, and lets the codes arrive upstream, each at its time."""

    def __init__(self, sandbox: Any, project: Any, buyers: Sequence[Any], model: Model, seen: Seen) -> None:
        self._sandbox, self._project, self._buyers = sandbox, project, buyers
        self._model, self._seen, self._rng = model, seen, random.Random(5)
        self._events: list[tuple[float, int, int]] = []  # moment, order or 0 for a purchase, a tie breaker
        self._count = 0
        self.bought = 0

    def plan(self, at: float, order_id: int = 0) -> None:
        """Plan the arrival of an order's code, or a purchase."""
        self._count += 1
        heapq.heappush(self._events, (at, self._count, order_id))

    def run(self, until: float) -> None:
        """Do what is planned until then."""
        while self._events and self._events[0][0] < until:
            at, _tie, order_id = heapq.heappop(self._events)
            time.sleep(max(0.0, at - time.time()))
            if order_id:
                self._deliver(order_id)
            else:
                self._buy(at)

    def _buy(self, at: float) -> None:
        from sms.operations import buy_numbers

        self.bought += 1
        user = self._rng.choice(self._buyers)
        [order] = buy_numbers(user=user, project=self._project, request_id=f"bench-{self.bought}")
        self.plan(at + self._rng.expovariate(self._model.bought_per_second))
        if (delay := self._model.delay(self._rng)) is not None:
            self.plan(time.time() + delay, order.pk)

    def _deliver(self, order_id: int) -> None:
        from orders.models import Order

        upstream_id = Order.objects.values_list("upstream_id", flat=True).get(pk=order_id)
        if upstream_id is None:  # it is being bought: a code cannot come before the number
            self.plan(time.time() + 0.25, order_id)
            return
        self._seen.upstream[order_id] = time.time()
        self._sandbox.deliver_code(upstream_id, f"{order_id:07}", f"Your code is {order_id:07}")


def watch_database(seen: Seen, stop: threading.Event) -> None:
    """Note when each code can be read in the database, by looking every 50 ms."""
    from django.db import connection

    from sms.models import Number

    try:
        while not stop.wait(0.05):
            missing = [order_id for order_id in list(seen.upstream) if order_id not in seen.database]
            came = Number.objects.filter(order_id__in=missing).exclude(code="").values_list("order_id", flat=True)
            moment = time.time()
            seen.database.update((order_id, moment) for order_id in list(came))
    finally:
        connection.close()


def watch_page(url: str, cookie: str, seen: Seen, stop: threading.Event, asks: Counter[int]) -> None:
    """Look at one customer's waiting room as its script does, and note when each code is first shown."""
    import re

    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Cookie": cookie, "HX-Request": "true"})
        mark, at = "", time.time() + random.random() * PAGE_ASKS_EVERY  # watchers begin at odd moments
        while not stop.wait(max(0.0, at - time.time())):
            at += PAGE_ASKS_EVERY
            answer = session.get(f"{url}/sms/numbers/", params={"seen": mark}, timeout=30)
            asks[answer.status_code] += 1
            if answer.status_code == 200:
                mark = re.search(r'"seen": "(\w+)"', answer.text)[1]  # type: ignore[index]  # every part has one
                moment = time.time()
                for code in re.findall(r"<strong>(\d{7})</strong>", answer.text):
                    seen.page.setdefault(int(code), moment)


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share lies, by the nearest rank."""
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def run(model: Model, seconds: float, warm_up: float) -> bool:
    """Measure and print; return whether the aims were met."""
    with tempfile.TemporaryDirectory(prefix="bench-sms-") as folder:
        state = Path(folder) / "sandbox.sqlite3"
        environment = {
            "UPSTREAM_MAX_PER_SECOND": PER_SECOND,
            "SMS_MAX_OPEN_NUMBERS": 10**6,
            "SMS_MAX_NUMBERS_PER_DAY": 10**6,
            "SMS_LIFETIME_SECONDS": LIFETIME,
            "SMS_GRACE_SECONDS": GRACE,
            "SYNC_CATALOG_EVERY_SECONDS": 86_400,
            "SYNC_SMS_EVERY_SECONDS": 86_400,
            "STATIC_ROOT": folder,
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        with shop(sandbox_state=state, **environment) as sandbox:
            return _measure(sandbox, state, Path(folder), model, seconds, warm_up)


def _measure(sandbox: Any, state: Path, folder: Path, model: Model, seconds: float, warm_up: float) -> bool:
    from orders.fulfilment.pauses import ensure_opening_balance
    from storefront.demo.processes import Processes
    from upstream.client import default_client

    project = a_project(sandbox)
    sandbox.set(number_lifetime_seconds=LIFETIME)
    ensure_opening_balance(client=default_client())
    watchers = [a_watcher(number) for number in range(WATCHERS)]
    others = [a_customer(1000 + number) for number in range(OTHERS)]
    numbers = open_numbers(model, random.Random(1))
    ids = lay_out(sandbox, state, project, others, [age for age, _left in numbers])
    sandbox.set(latency_seconds=0.05)
    seen, asks, stop = Seen(), Counter[int](), threading.Event()
    driver = Driver(sandbox, project, [user for user, _cookie in watchers], model, seen)
    celery = [sys.executable, "-m", "celery", "-A", "storefront"]
    with server() as (port, _pid), Processes() as processes:
        pool = ["--pool", "threads", "--concurrency", "4"]
        worker = processes.start("worker", [*celery, "worker", *pool], log=folder / "worker.log")
        processes.start("beat", [*celery, "beat", "--schedule", str(folder / "beat")], log=folder / "beat.log")
        time.sleep(5)  # until they are up
        url = f"http://127.0.0.1:{port}"
        threads = [threading.Thread(target=watch_database, args=(seen, stop))]
        threads += [
            threading.Thread(target=watch_page, args=(url, cookie, seen, stop, asks)) for _user, cookie in watchers
        ]
        for thread in threads:
            thread.start()
        began = time.time()
        driver.plan(began)
        for order_id, (_age, left) in zip(ids, numbers, strict=True):
            if left is not None:
                driver.plan(began + left, order_id)
        driver.run(began + warm_up)
        cpu, measured_from = cpu_seconds(worker.process.pid), time.time()
        driver.run(measured_from + seconds)
        cpu, measured_until = cpu_seconds(worker.process.pid) - cpu, time.time()
        calls = _calls(sandbox, measured_from, measured_until)
        time.sleep(12)  # for the codes that came last
        stop.set()
        for thread in threads:
            thread.join()
    took = measured_until - measured_from
    print(f"{len(numbers):,} open numbers, {PER_SECOND} calls a second allowed; {machine()}")
    print(
        f"model: {model.bought_per_second:.2f} numbers bought a second, {model.share:.0%} get a code, "
        f"log-normal with a median of {MEDIAN_DELAY:g} s and a spread of {model.sigma:g}"
    )
    print(
        f"{driver.bought:,} numbers bought, calls a second {sum(calls.values()) / took:5.1f} ({_shares(calls, took)}); "
        f"the worker used {cpu / took:.0%} of one processor"
    )
    return _report(seen, measured_from, asks)


def a_watcher(number: int) -> tuple[Any, str]:
    """Return a customer who looks at the page, and the cookie of their browser."""
    from accounts.models import User

    cookie = cookie_of(number)
    return User.objects.get(email=f"bench{number}@example.com"), cookie


def _calls(sandbox: Any, since: float, until: float) -> Counter[str]:
    moments = [(datetime.fromisoformat(call["at"]).timestamp(), call["action"]) for call in sandbox.requests]
    if moments and moments[0][0] > since:
        raise SystemExit("the sandbox has forgotten the first calls: measure for a shorter time")
    return Counter(action for moment, action in moments if since <= moment < until)


def _shares(calls: Counter[str], seconds: float) -> str:
    return ", ".join(f"{action} {count / seconds:.1f}" for action, count in calls.most_common())


def _report(seen: Seen, measured_from: float, asks: Counter[int]) -> bool:
    counted = {order_id: at for order_id, at in seen.upstream.items() if at >= measured_from}
    lost = [order_id for order_id in counted if order_id not in seen.database]
    arrived = [seen.database[order_id] - at for order_id, at in counted.items() if order_id in seen.database]
    shown = [seen.page[order_id] - seen.database[order_id] for order_id in counted if order_id in seen.page]
    # A code that is not there 12 seconds after the last one came counts as being as late as that.
    late = [*arrived, *(time.time() - counted[order_id] for order_id in lost)]
    to_database, to_page = quantile(late, 0.99), quantile(shown, 0.99)
    over = sum(each > AIM_SECONDS for each in late)
    print(
        f"upstream to database  {len(late):4} codes, median {median(late):5.2f} s, p99 {to_database:5.2f} s "
        f"(aim: under {AIM_SECONDS:g} s), longest {max(late):.2f} s, {over} above the aim"
    )
    print(
        f"database to page      {len(shown):4} codes, median {median(shown):5.2f} s, p99 {to_page:5.2f} s "
        f"(aim: under {AIM_PAGE_SECONDS:g} s); {asks[204]:,} of {sum(asks.values()):,} answers were an empty 204"
    )
    return to_database < AIM_SECONDS and to_page < AIM_PAGE_SECONDS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=2000, help="open numbers")
    parser.add_argument("--share", type=float, default=0.45, help="of the numbers that get a code")
    parser.add_argument("--sigma", type=float, default=0.7, help="spread of the delays: the logarithm's deviation")
    parser.add_argument("--seconds", type=float, default=80.0)
    parser.add_argument("--warm-up", type=float, default=10.0)
    arguments = parser.parse_args()
    model = Model(arguments.numbers, arguments.share, arguments.sigma)
    return 0 if run(model, arguments.seconds, arguments.warm_up) else 1


if __name__ == "__main__":
    sys.exit(main())
