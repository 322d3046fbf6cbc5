"""Milliseconds of background statements, pages and API calls with a million orders: `python -m bench.scale`.

A PostgreSQL of its own is filled by set-based SQL (`bench/scale_fill.py`); `--orders 100000` is a tenth of everything.
Of a background job its slowest statement counts, since that is what grows with the tables: of one that a job makes a
thousand times, the median. What it writes is rolled back. Of a page or call all of it counts, without the network. The
median of some rounds is held against an aim.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from bench.scale_fill import LARGE, NUMBERS, SMALL, Size, fill
from bench.stage import machine, shop

AIM = 50.0  # milliseconds
LISTS_OF_VALUES = re.compile(r"%s(, %s)+")  # however many: one statement
LIST = "list: "  # a large customer's rows: each of its statements has an aim of its own as well
AIM_OF_LISTS = 30.0
LONG = 5000.0  # a job of thousands of small statements: once is enough
AIM_OF_BATCH = 400.0  # a statement that writes hundreds of rows, or looks at all services
AIM_OF_MEASURE = 2000.0  # an hourly one that looks at all orders of a month
AIM_OF_ADMIN = 3000.0
AIM_OF_ADMIN_HOME = 300.0
AIM_OF_REPORTS = 300.0
UNLIMITED = 1_000_000_000


@dataclass
class Seen:
    """What one round of some work took."""

    milliseconds: float  # of all of it
    statements: int = 0
    slowest: float = 0.0  # the median of the slowest statement
    sql: str = ""


@contextmanager
def watched() -> Iterator[Seen]:
    from django.db import connection

    seen, began, times = Seen(0.0), time.perf_counter(), defaultdict[str, list[float]](list)

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            times[LISTS_OF_VALUES.sub("…", sql)].append((time.perf_counter() - start) * 1000)

    with connection.execute_wrapper(watch):
        yield seen
    seen.milliseconds = (time.perf_counter() - began) * 1000
    seen.statements = sum(map(len, times.values()))
    middles = {sql: statistics.median(each) for sql, each in times.items()}
    seen.sql, seen.slowest = max(middles.items(), key=lambda one: one[1], default=("", 0.0))


def rolled_back(work: Callable[[], Any]) -> Seen:
    from django.db import transaction

    with transaction.atomic(), watched() as seen:
        result = work()
        if hasattr(result, "__next__") or hasattr(result, "iterator"):
            list(result)
        transaction.set_rollback(True)
    return seen


def jobs() -> dict[str, tuple[Callable[[], Any], float]]:
    """Return what runs in the background, each with its aim."""
    from accounts.models import User
    from api.webhooks.sending import claim
    from catalog.operations.back_in_stock import send_stock_alerts
    from notifications import outbox
    from notifications.retention import clean_notices
    from orders.accounting.purchase_counts import count_purchases
    from orders.accounting.service_quality import measure_quality
    from orders.attempts import assumptions, windows
    from orders.fulfilment import forward, late_checks, margin, poll, solvency
    from orders.lifecycle.referrals import credit_referrals
    from orders.lifecycle.retention import wipe_order_evidence
    from orders.models import Order, Status
    from orders.notices.price_digest import send_price_digests
    from orders.placing.pay_first import close_pending
    from sms.operations import replace_due_numbers
    from sms.operations.retention import wipe_contents
    from sms.poll_interval import current_pace
    from sms.queries.success_rates import count_success_rates
    from wallet.models import TopUp

    now = timezone.now()
    late_checks.allowance = late_checks.Allowance()
    large = User.objects.get(pk=LARGE)
    due = Order.objects.filter(kind="service").due(now)
    works: dict[str, Callable[[], Any]] = {
        "forward queue": lambda: Order.objects.waiting_to_send(now)[:32],
        "newest upstream id": lambda: [windows.newest_upstream_id(kind) for kind in ("service", "number")],
        "orders under way that are due": lambda: due.open()[:1000].values_list("pk"),
        "late checks that are due": lambda: due.finished()[:100].values_list("pk"),
        "numbers due within a second": lambda: poll._soon_due("number", now),
        "lost attempts and windows": lambda: [windows.unanswered(kind) for kind in ("service", "number")],
        "windows in flight": lambda: [windows.windows_in_flight(kind) for kind in ("service", "number")],
        "known ids": lambda: windows.known_ids("service", range(1_000_000, 1_000_300)),
        "foreign id": lambda: [assumptions._foreign_id(kind) for kind in ("service", "number")],
        "unknown orders": lambda: Order.objects.filter(status=Status.UNKNOWN).count(),
        "stale claims": lambda: forward.release_stale_claims(now=now),
        "buyers who waited too long": lambda: forward.give_up_waiting(now=now),
        "held orders": lambda: margin.review_held_orders(now=now),
        "cost of the queue": solvency.reserved_upstream_micros,
        "spending forecast": lambda: solvency._forecast(10**12, now),
        "notices due": lambda: outbox._recipients(now),
        "mails of the hour": lambda: outbox._wait_for_the_hour(large, now),
        "old notices": lambda: clean_notices(now=now),
        "price digests": lambda: send_price_digests(now=now),
        "referrals": lambda: credit_referrals(now=now),
        "stock alerts": lambda: send_stock_alerts(now=now),
        "pace of the numbers": lambda: current_pace(now),
        # Nothing is due to be bought anew, so that no client is called.
        "replacement sweep": lambda: replace_due_numbers(client=None, now=now),  # type: ignore[arg-type]
        "old codes": lambda: wipe_contents(now=now),
        "webhooks due": lambda: claim(now),
        "payments to ask about": lambda: TopUp.objects.to_ask_about(now),
        "orders waiting for a payment": lambda: close_pending(now=now),
        "sidebar: payments": lambda: TopUp.objects.for_a_human().count(),
        "sidebar: orders": lambda: Order.objects.needing_attention().count(),
    }
    batches: dict[str, Callable[[], Any]] = {
        "poll claim, services": lambda: poll._claim_due("service", now),
        "poll claim, numbers": lambda: poll._claim_due("number", now),
        "old evidence, 500 events": lambda: wipe_order_evidence(now=now),
        "purchase counts": lambda: count_purchases(now=now),
        "success rates": lambda: count_success_rates(now),
    }
    measures = {"service quality": (lambda: measure_quality(now=now), AIM_OF_MEASURE)}
    aims = {name: (work, AIM) for name, work in works.items()}
    return aims | {name: (work, AIM_OF_BATCH) for name, work in batches.items()} | measures


def books() -> dict[str, tuple[Callable[[], Any], float]]:
    from django.core.cache import cache

    from orders.accounting.daily_totals.keeping import keep_totals
    from orders.accounting.daily_totals.reading import Reader
    from orders.accounting.report import Span, days_of_month, report
    from orders.accounting.report.periods import today
    from storefront.admin_home.page import SECTIONS, read_page
    from storefront.admin_home.queue import KINDS

    now = today()

    def home() -> None:
        """The admin's first page, when nothing of it is cached."""
        cache.clear()
        read_page(everything, now=timezone.now())

    def reported(days: int, dimension: str) -> Callable[[], Any]:
        """What a report of so many days reads."""

        def read() -> None:
            reader = Reader(Span(now - timedelta(days=days - 1), now))
            reader.whole()
            reader.by_thing(dimension, sort="margin", limit=100)

        return read

    keep_totals(now=timezone.now(), seconds=UNLIMITED)  # minutes: a year of them
    reports = {
        f"report of {days} days by {dimension}": (reported(days, dimension), AIM_OF_REPORTS)
        for days in (30, 365)
        for dimension in ("category", "service", "customer", "country")
    }
    everything = frozenset({*SECTIONS, *(f"queue:{kind.name}" for kind in KINDS)})
    return {
        **reports,
        "totals of the reports": (lambda: keep_totals(now=timezone.now()), AIM_OF_ADMIN),
        "books of a month": (lambda: report(days_of_month(now.year, now.month, until=now)), AIM_OF_ADMIN),
        "admin: home, nothing cached": (home, AIM_OF_ADMIN),
        "admin: home": (lambda: read_page(everything, now=timezone.now()), AIM_OF_ADMIN_HOME),
    }


def browser(customer: int) -> Any:
    from django.test import Client

    from accounts.models import User

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(pk=customer))
    return client


def pages() -> dict[str, tuple[Callable[[], Any], float]]:
    """Return the pages, each with its aim."""
    from django.test import Client

    from orders.models import Order

    visitor, large, numbers, small = Client(headers={"host": "localhost"}), *map(browser, (LARGE, NUMBERS, SMALL))
    newest = Order.objects.filter(user=LARGE).latest("pk")
    typed = {
        "quantity": "100",
        "link": "https://example.com/none",
        "request_id": "0b4c7f5e-6a53-4c27-9d25-7d7f7e1f2f6b",
    }

    def get(client: Any, address: str) -> Callable[[], Any]:
        return lambda: checked(client.get(address, secure=True))

    def asked_again(client: Any, address: str) -> Callable[[], Any]:
        """What a page that stays open asks every second and a half, while nothing has changed."""
        seen = re.search(rb'"seen": "([0-9a-f]{16})"', client.get(address, secure=True).content)
        assert seen is not None
        again = f"{address}?seen={seen[1].decode()}"
        return lambda: client.get(again, secure=True, headers={"HX-Request": "true"})

    works = {
        "home": get(visitor, "/"),
        "category": get(visitor, "/catalog/1/"),
        "category, signed in": get(large, "/catalog/1/"),
        "search": get(small, "/catalog/search/?q=followers+77"),
        "service": get(visitor, "/order/101/"),
        "service, signed in": get(large, "/order/101/"),
        "one order": get(large, f"/orders/{newest.pk}/"),
        "order form sent": lambda: checked(large.post(f"/order/{newest.service_id}/", typed, secure=True)),
        "waiting room, asked again": asked_again(numbers, "/sms/numbers/"),
    }
    lists = {
        "orders": get(large, "/orders/"),
        "orders, page 100": get(large, "/orders/?page=100"),
        "orders, last page": get(large, "/orders/?page=1000000"),
        "orders, open": get(large, "/orders/?group=open"),
        "orders, finished": get(large, "/orders/?group=finished"),
        "orders, refunded": get(large, "/orders/?group=refunded"),
        "orders, a link": get(large, "/orders/?q=example.com%2F777"),
        "orders, a word nobody used": get(large, "/orders/?q=xyzzy"),
        "orders, a number": get(large, f"/orders/?q=%23{newest.pk}"),
        "numbers' history": get(numbers, "/sms/numbers/history/"),
        "numbers' history, a phone": get(numbers, "/sms/numbers/history/?q=15550000"),
        "wallet": get(large, "/wallet/"),
        "wallet, refunds": get(large, "/wallet/?kind=refund"),
        "wallet, an order": get(large, f"/wallet/?q={newest.pk}"),
        "wallet's months": get(large, "/wallet/receipts"),
        "small customer's orders": get(small, "/orders/"),
    }
    return {name: (work, AIM) for name, work in works.items()} | {
        f"{LIST}{name}": (work, AIM) for name, work in lists.items()
    }


def calls() -> dict[str, tuple[Callable[[], Any], float]]:
    """Return the API calls of the large customer, each with its aim."""
    from django.test import Client

    from accounts.keys.api_keys import create_api_key
    from accounts.models import User
    from orders.models import Order

    key = create_api_key(user=User.objects.get(pk=LARGE), name="bench")[1]
    client = Client(headers={"host": "localhost"})
    mine = list(Order.objects.filter(user=LARGE).newest_first().values_list("pk", flat=True)[:100])

    def call(action: str, **more: Any) -> Callable[[], Any]:
        data = {"key": key, "action": action, **more}
        return lambda: checked(client.post("/api/v2", data, secure=True))

    works = {
        "api balance": call("balance"),
        "api status": call("status", order=mine[0]),
        "api status of 100": call("status", orders=",".join(map(str, mine))),
        "api services, a page": call("services", limit=100),
        "api add": call("add", service=101, link="https://example.com/bench", quantity=100),
    }
    return {name: (work, AIM) for name, work in works.items()}


def checked(response: Any) -> Any:
    assert response.status_code == 200, (response.status_code, response.headers, response.content[:200])
    return response


def page_of(work: Callable[[], Any]) -> Seen:
    from django.db import transaction

    with transaction.atomic():  # `add` buys nothing
        with watched() as seen:
            work()
        transaction.set_rollback(True)
    return seen


def measure(rounds: int, *, only: str = "", verbose: bool = False) -> bool:
    """Measure and print; return whether every aim was met."""
    met = True
    parts = [(jobs, rolled_back, "slowest"), (books, rolled_back, "milliseconds")]
    parts += [(pages, page_of, "milliseconds"), (calls, page_of, "milliseconds")]
    print(f"{'':32} {'median':>9} {'aim':>7} {'all':>9} {'statements':>10}")
    for make, run, what in parts:
        for name, (work, aim) in make().items():
            if only not in name:
                continue
            first = run(work)  # what is read for the first time is not what is measured, unless there is much of it
            again = 0 if first.milliseconds > LONG else rounds
            seen = sorted([run(work) for _round in range(again)] or [first], key=lambda one: getattr(one, what))
            took, middle = statistics.median(getattr(one, what) for one in seen), seen[len(seen) // 2]
            slow = name.startswith(LIST) and middle.slowest > AIM_OF_LISTS
            missed = "  MISSED" if took > aim or slow else ""
            met = met and not missed
            print(
                f"{name:32} {took:6.1f} ms {aim:4.0f} ms {middle.milliseconds:6.1f} ms {middle.statements:10}{missed}"
            )
            if verbose and missed:
                print(f"    {middle.slowest:.1f} ms: {middle.sql[:1500]}")
            sys.stdout.flush()
    return met


def run(orders: int, rounds: int, *, only: str = "", verbose: bool = False) -> bool:
    limits = {"API_CALLS_PER_MINUTE": UNLIMITED, "API_CALLS_PER_MINUTE_PER_ADDRESS": UNLIMITED}
    with (
        tempfile.TemporaryDirectory(prefix="bench-static-") as static,
        shop(ALLOWED_HOSTS="localhost,127.0.0.1", STATIC_ROOT=static, **limits),
    ):
        from django.core.management import call_command
        from django.db import connection

        from orders.accounting.audit import audit
        from wallet.models import LedgerEntry

        call_command("collectstatic", interactive=False, verbosity=0)
        began = time.perf_counter()
        fill(Size(orders))
        took = time.perf_counter() - began
        found = audit(client=None, now=timezone.now()).problems
        assert found == [], found
        entries = LedgerEntry.objects.count()
        print(f"{orders:,} orders, {entries:,} ledger rows, filled in {took:.0f} s; {rounds} rounds; {machine()}")
        met = measure(rounds, only=only, verbose=verbose)
        connection.close()
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; the median counts")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--verbose", action="store_true", help="print the slowest statement of what misses its aim")
    arguments = parser.parse_args()
    met = run(arguments.orders, arguments.rounds, only=arguments.only, verbose=arguments.verbose)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
