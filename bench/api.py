"""Calls of the shop's own API a second and their p99, beside a constant JSON answer of the same size.

`python -m bench.api --services 100000`. gunicorn with PostgreSQL and Valkey of its own, 8 connections that stay open,
each with a customer and a key of its own. Every call has its turn next to its constant's, so that other work on the
machine meets both alike; `add` next to `place_order` in threads without HTTP, as bench/checkout.py calls it.
"""

import argparse
import random
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from bench.checkout import LINK, per_second
from bench.serving import CONNECTIONS, Connection, Question, ask, fill, post_request, report, server
from bench.stage import a_customer, a_service, machine, order_rows, shop

ORDERS_OF_EACH = 1000
AT_ONCE = 100
PLACED = 160
AIM_ADD = 0.85
AIM_MB = 50.0
UNLIMITED = 1_000_000_000
LIMITS = {"API_CALLS_PER_MINUTE": UNLIMITED, "API_CALLS_PER_MINUTE_PER_ADDRESS": UNLIMITED, "API_CALLS_AT_ONCE": 8}


class Customers:
    """A customer for each connection, with money, a key and orders under way; and a service they buy."""

    def __init__(self, service: Any) -> None:
        from accounts.keys.api_keys import create_api_key
        from orders.models import Checkout, Order

        self.service = service
        self.users = [a_customer(number) for number in range(CONNECTIONS)]
        self.keys = [create_api_key(user=user, name="bench")[1] for user in self.users]
        self.orders = []
        for user in self.users:
            checkout = Checkout.objects.create(user=user, request_id=uuid.uuid4().hex, fingerprint=64 * "0")
            rows = order_rows(user, service, ORDERS_OF_EACH, checkout=checkout, status="in_progress", remains=400)
            self.orders.append([order.pk for order in Order.objects.bulk_create(rows)])

    def call(self, action: str, of_each: Callable[[int], list[dict[str, Any]]]) -> list[list[bytes]]:
        """Return the requests of one action for each customer, `of_each(number)` with these parameters."""
        return [
            [post_request("/api/v2", urlencode({"key": key, "action": action, **more})) for more in of_each(number)]
            for number, key in enumerate(self.keys)
        ]

    def place(self, thread: int, number: int) -> None:
        """Place an order without HTTP."""
        from orders.placing.place import place_order

        place_order(
            user=self.users[thread],
            service=self.service,
            quantity=1000,
            link=f"{LINK}/{number}",
            request_id=uuid.uuid4().hex,
            now=timezone.now(),
        )


def questions_of(customers: Customers, services: int) -> list[Question]:
    """Return what is asked: the actions and how much of their constant they should reach."""
    rng = random.Random(7)
    order = {"service": customers.service.pk, "link": LINK, "quantity": 1000}

    def some(number: int) -> str:
        return ",".join(str(pk) for pk in rng.sample(customers.orders[number], AT_ONCE))

    pages = [{"limit": AT_ONCE, "page": page + 1} for page in range(min(services // AT_ONCE, 200))]
    call = customers.call
    return [
        Question("balance", call("balance", lambda number: [{}]), aim=0.25),
        Question("status", call("status", lambda number: [{"order": pk} for pk in customers.orders[number]]), aim=0.25),
        Question(
            "status of 100", call("status", lambda number: [{"orders": some(number)} for _each in range(50)]), aim=0.15
        ),
        Question("services, a page", call("services", lambda number: pages), aim=0.50),
        Question("services, all", call("services", lambda number: [{}]), aim=0.60),
        Question("add", call("add", lambda number: [order])),
    ]


def with_constant(port: int, question: Question) -> list[Question]:
    """Return the constant of the same size and the question, which is compared with it."""
    answer = Connection(port).ask(question.requests[0][0])
    assert b'{"error"' not in answer[:100], answer[:200]
    body = question.requests[0][0].partition(b"\r\n\r\n")[2].decode()
    question.limit = f"K of {len(answer):,}"
    constant = Question(question.limit, [[post_request(f"/bench/json/{len(answer)}/", body)]])
    return [constant, question]


def resident_mb(parent: int, *, peak: bool = False) -> float:
    """Return what the workers of gunicorn hold together, or the most they held since the last `forget_peaks`."""
    name = "VmHWM:" if peak else "VmRSS:"
    found = 0
    for worker in workers_of(parent):
        lines = Path(f"/proc/{worker}/status").read_text().splitlines()
        found += next(int(line.split()[1]) for line in lines if line.startswith(name))
    return found / 1024


def workers_of(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def forget_peaks(parent: int) -> None:
    """Let the processes' peaks begin at what they hold now (see proc(5), clear_refs)."""
    for worker in workers_of(parent):
        Path(f"/proc/{worker}/clear_refs").write_text("5")


def extra_memory(port: int, parent: int, every: Question) -> tuple[float, float]:
    """Ask for all services, at first when nothing is cached; return the megabytes before, and at the peak."""
    before = resident_mb(parent)
    forget_peaks(parent)
    ask(port, every, 2.0)
    return before, resident_mb(parent, peak=True)


def run(services: int, rounds: int, seconds: float, only: str = "") -> bool:
    """Measure and print; return whether the aims were met. `only`: of what is asked, only what has this in its name."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-static-") as static,
        shop(services=services, STATIC_ROOT=static, ALLOWED_HOSTS="127.0.0.1", **LIMITS) as sandbox,
    ):
        fill(sandbox)
        customers = Customers(a_service(sandbox))
        questions = questions_of(customers, services)
        with server() as (port, parent):
            for question in questions[:4]:  # everything is loaded before memory is looked at, and every page is made
                ask(port, question, 4.0 if "page" in question.name else 0.5)
            before, peak = extra_memory(port, parent, questions[4])
            pairs = [with_constant(port, question) for question in questions if only in question.name]
            ask_in_turns(port, pairs, 1, seconds)
            for each in (each for pair in pairs for each in pair):
                each.forget()
            adds = questions[-1] in [question for _constant, question in pairs]
            placed = ask_in_turns(port, pairs, rounds, seconds, customers if adds else None)
    print(f"{services:,} services, {CONNECTIONS} connections, {rounds} rounds of {seconds:g} s a call; {machine()}")
    met = [report(question, constant) for constant, question in pairs]
    if not adds:
        return all(met)
    add = questions[-1]
    share = statistics.median(ours / maximum for ours, maximum in zip(add.per_second, placed, strict=True))
    maximum = statistics.median(placed)
    print(f"place_order            {maximum:8.1f} /s   of that `add` {share:.2f} (aim: at least {AIM_ADD})")
    print(f"all services: {before:.0f} MB before, {peak - before:.0f} MB more at the peak (aim: under {AIM_MB:.0f})")
    return all(met) and share >= AIM_ADD and peak - before < AIM_MB


def ask_in_turns(
    port: int, pairs: list[list[Question]], rounds: int, seconds: float, customers: Customers | None = None
) -> list[float]:
    """Give everything its turn; return how many orders a second were placed without HTTP, next to `add`."""
    placed = []
    for _round in range(rounds):
        for pair in pairs:
            for each in pair:
                ask(port, each, seconds)
        if customers is not None:
            placed.append(per_second(PLACED, CONNECTIONS, customers.place))
    return placed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=100_000, help="size of the catalog, 1,000 to 100,000")
    parser.add_argument("--rounds", type=int, default=8, help="how often each call has its turn; the median counts")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a turn is")
    parser.add_argument("--only", default="", help='only calls with this in their name, like "services, a page"')
    arguments = parser.parse_args()
    return 0 if run(arguments.services, arguments.rounds, arguments.seconds, arguments.only) else 1


if __name__ == "__main__":
    sys.exit(main())
