"""Milliseconds and statements of the admin's pages with a million orders: `python -m bench.admin`.

A PostgreSQL of its own is filled as for `bench.scale` (`--orders 100000` is a tenth of everything), the totals of
reports are kept up to date, and the owner opens each page `--rounds` times; the median counts, without the network.
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from typing import Any

from bench.scale import UNLIMITED, Seen, checked, watched
from bench.scale_fill import LARGE, SMALL, Size, fill
from bench.stage import machine, shop

HOME, LISTS, ORDER, OTHERS, REPORTS = 300.0, 200.0, 150.0, 300.0, 1000.0  # milliseconds
EXTREME = 2000.0  # a customer who has half of everything: each of a million ledger rows is added up
BOOKS_OF_A_YEAR = 5000.0  # added up from the ledger itself, which reports only agree with
TYPED = ("xyzzy", "scale7%40example.com", "155500")  # a word nobody used, an address, digits
Pages = dict[str, tuple[str, float]]


def owner() -> Any:
    """Return a browser in which the shop's owner has signed in, second factor and all."""
    from django.test import Client

    from accounts.models import User
    from tests.conftest import confirmed_a_moment_ago

    person = User.objects.create_superuser("owner@example.com", "x", is_staff=True)
    from django.contrib.auth.signals import user_logged_in

    user_logged_in.connect(confirmed_a_moment_ago)
    client = Client(headers={"host": "localhost"})
    client.force_login(person)
    return client


def pages() -> Pages:
    """Return the addresses of the pages, each with its aim in milliseconds."""
    from django.contrib import admin
    from django.urls import reverse

    from orders.models import Order, Status

    newest = Order.objects.filter(user=LARGE, kind="service", upstream_id__isnull=False).latest("pk")
    lost = Order.objects.filter(status=Status.UNKNOWN).latest("pk")
    orders, home = reverse("admin:orders_order_changelist"), reverse("admin:index")
    found: Pages = {"home": (home, HOME)}
    for model, shown in sorted(admin.site._registry.items(), key=lambda pair: pair[0]._meta.label_lower):
        label = model._meta.label_lower
        listed = reverse(f"admin:{label.replace('.', '_')}_changelist")
        if label == "orders.books":
            continue
        found[f"list: {label}"] = (listed, LISTS)
        if shown.search_fields:
            found |= {f"list: {label}?q={one}": (f"{listed}?q={one}", LISTS) for one in TYPED}
        for one in getattr(shown, "saved_filters", ()):
            if one.query:
                found[f"list: {label}?{one.query}"] = (f"{listed}?{one.query}", LISTS)
    typed = (f"%23{newest.pk}", newest.upstream_id, "scale7%40example.com", "example.com%2F777", "155500001", "xyzzy")
    found |= {f"list: orders.order?q={one}": (f"{orders}?q={one}", LISTS) for one in typed}
    found |= {f"list: orders.order?p={page}": (f"{orders}?p={page}", LISTS) for page in (2, 100)}
    found |= {
        "an order": (reverse("admin:orders_order_change", args=[newest.pk]), ORDER),
        "an order whose answer never came": (reverse("admin:orders_order_change", args=[lost.pk]), ORDER),
        "a customer with half a million orders": (reverse("admin:accounts_user_change", args=[LARGE]), EXTREME),
        "a customer": (reverse("admin:accounts_user_change", args=[SMALL]), OTHERS),
        "a service": (reverse("admin:catalog_service_change", args=[newest.service_id]), OTHERS),
        "search: a number": (f"{reverse('admin:search')}?extended=1&s=%23{newest.pk}", OTHERS),
        "search: an address": (f"{reverse('admin:search')}?extended=1&s=scale7%40example.com", OTHERS),
        "search: a word nobody used": (f"{reverse('admin:search')}?extended=1&s=xyzzy", OTHERS),
    }
    return found | reports()


def reports() -> Pages:
    """Return the addresses of the books and reports: of this month or thirty days, and of a year."""
    from django.urls import reverse

    from orders.accounting.daily_totals.dimensions import dimensions
    from orders.accounting.report import today

    now = today()
    books, by_thing = reverse("admin:orders_books_changelist"), reverse("admin:orders_reports")
    doing_badly, of_numbers = reverse("admin:orders_service_report"), reverse("admin:sms_number_report")
    found: Pages = {"books: this month": (books, REPORTS)}
    found["books: a year"] = (f"{books}?year={now.year}&month=0", BOOKS_OF_A_YEAR)
    for days in (30, 365):
        span = f"first={now - timedelta(days=days - 1)}&last={now}"
        for by in ("day", "week", "month", *dimensions(), "gateway"):
            found[f"report: {days} days by {by}"] = (f"{by_thing}?by={by}&{span}", REPORTS)
        found[f"report: {days} days, services that do badly"] = (f"{doing_badly}?{span}", REPORTS)
        found[f"report: {days} days, numbers"] = (f"{of_numbers}?{span}&by=both", REPORTS)
    return found


def measure(rounds: int, *, only: str = "", verbose: bool = False) -> bool:
    """Measure and print; return whether every aim was met."""
    met, desk = True, owner()
    print(f"{'':56} {'median':>9} {'aim':>7} {'statements':>10}")
    for name, (address, aim) in pages().items():
        if only not in name:
            continue
        seen = [_opened(desk, address) for _round in range(rounds + 1)]
        again = sorted(seen[1:], key=lambda one: one.milliseconds)  # what is read for the first time is not measured
        took, middle = statistics.median(one.milliseconds for one in again), again[len(again) // 2]
        missed = "  MISSED" if took > aim else ""
        met = met and not missed
        print(f"{name:56} {took:6.0f} ms {aim:4.0f} ms {middle.statements:10}{missed}")
        if verbose and missed:
            print(f"    {middle.slowest:.1f} ms: {middle.sql[:1500]}")
        sys.stdout.flush()
    return met


def _opened(desk: Any, address: str) -> Seen:
    with watched() as seen:
        checked(desk.get(address, secure=True))
    return seen


def run(orders: int, rounds: int, *, only: str = "", verbose: bool = False) -> bool:
    """Fill a shop of its own and measure; return whether every aim was met."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-static-") as static,
        shop(ALLOWED_HOSTS="localhost,127.0.0.1", STATIC_ROOT=static),
    ):
        from django.core.management import call_command
        from django.db import connection
        from django.utils import timezone

        from orders.accounting.daily_totals.keeping import keep_totals
        from orders.accounting.service_margin import measure_margins
        from storefront.admin_home import page

        call_command("collectstatic", interactive=False, verbosity=0)
        began = time.perf_counter()
        fill(Size(orders))
        keep_totals(now=timezone.now(), seconds=UNLIMITED)  # minutes: a year of them
        measure_margins(now=timezone.now())
        print(f"{orders:,} orders, filled in {time.perf_counter() - began:.0f} s; {rounds} rounds; {machine()}")
        page.CACHE_SECONDS = 0  # it is kept for some seconds: measured is what the first reader waits for
        met = measure(rounds, only=only, verbose=verbose)
        connection.close()
    return met


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="pages with this in their names")
    parser.add_argument("--verbose", action="store_true", help="the slowest statement of what misses its aim")
    asked = parser.parse_args()
    sys.exit(not run(asked.orders, asked.rounds, only=asked.only, verbose=asked.verbose))
