"""Seconds that the audit and the report of the books take over many orders: `python -m bench.books --orders 100000`.

Each order has three ledger rows: its charge, a refund of part of it, and a payment that paid for it; every second
payment is a transfer of which nobody noted who confirmed it, as in shops that are older than that rule. There is no
limit to compare with; the aim is that a nightly job and a page stay what they are.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from bench.stage import a_service, machine, order_rows, seconds_of, shop

CUSTOMERS = 1000
AUDIT_SECONDS, PAGE_SECONDS = 5.0, 2.0
AT_ONCE = 5000


def fill(orders: int, service: Any) -> None:
    """Make customers, payments, orders and their ledger, spread over the last 365 days."""
    from django.db import connection

    from accounts.models import User
    from orders.models import Order
    from wallet.models import LedgerEntry, TopUp, Wallet

    names = [f"books{number}@example.com" for number in range(CUSTOMERS)]
    users = User.objects.bulk_create(User(email=name) for name in names)
    wallets = Wallet.objects.bulk_create(Wallet(user=user) for user in users)
    now = datetime.now(UTC)
    for start in range(0, orders, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, orders))
        moments = [now - timedelta(minutes=525_600 * number // orders) for number in numbers]
        fields = {"status": "partial", "refunded_micros": 875_000, "charge_upstream_micros": 800_000}
        rows = [order_rows(users[number % CUSTOMERS], service, 1, **fields)[0] for number in numbers]
        for number, row, moment in zip(numbers, rows, moments, strict=True):
            row.upstream_id, row.created_at = str(number), moment
            row.sent_at = row.finished_at = moment
        made = Order.objects.bulk_create(rows)
        paid = {"currency": "USD", "amount_micros": 2_000_000, "pay_micros": 2_000_000}
        state = {"status": "paid", "received_micros": 2_000_000, "credited_micros": 2_000_000}
        gateways = ("stripe", "manual")
        payments = TopUp.objects.bulk_create(
            TopUp(user=row.user, gateway=gateways[number % 2], created_at=moment, **paid, **state)
            for number, row, moment in zip(numbers, made, moments, strict=True)
        )
        entries = []
        for number, row, payment, moment in zip(numbers, made, payments, moments, strict=True):
            for kind, micros, reference in (
                ("top_up", 2_000_000, f"top_up:{payment.reference}"),
                ("charge", -1_875_000, f"order:{row.pk}"),
                ("refund", 875_000, f"order:{row.pk}:refund:875000"),
            ):
                entry = LedgerEntry(kind=kind, amount_micros=micros, reference=reference, created_at=moment)
                entry.wallet = wallets[number % CUSTOMERS]
                entries.append(entry)
        LedgerEntry.objects.bulk_create(entries, batch_size=AT_ONCE)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wallet_wallet SET balance_micros ="
            " (SELECT COALESCE(SUM(amount_micros), 0) FROM wallet_ledgerentry WHERE wallet_id = wallet_wallet.id)"
        )
        cursor.execute("ANALYZE")


def run(orders: int, rounds: int) -> bool:
    """Measure and print; return whether both aims were met."""
    with shop() as sandbox:
        from django.db import connection

        from orders.accounting.audit import audit
        from orders.accounting.report import days_of_month, months_of_year, report
        from orders.accounting.report.periods import today
        from wallet.models import LedgerEntry

        fill(orders, a_service(sandbox))
        assert audit(client=None, now=timezone.now()).problems == []
        now = today()
        works: dict[str, tuple[Callable[[], Any], float]] = {
            "audit": (lambda: audit(client=None, now=timezone.now()), AUDIT_SECONDS),
            "month by days": (lambda: report(days_of_month(now.year, now.month, until=now)), PAGE_SECONDS),
            "year by months": (lambda: report(months_of_year(now.year, until=now)), PAGE_SECONDS),
        }
        print(f"{orders:,} orders, {LedgerEntry.objects.count():,} ledger rows, {rounds} rounds; {machine()}")
        met = True
        for name, (work, maximum) in works.items():
            seconds = statistics.median(seconds_of(work) for _round in range(rounds))
            met = met and seconds <= maximum
            print(f"{name:>15} {seconds:6.2f} s (aim: at most {maximum:.0f} s)")
        connection.close()
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts")
    arguments = parser.parse_args()
    return 0 if run(arguments.orders, arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
