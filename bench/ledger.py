"""Debits per second by `wallet.operations.debit`, as a share of the same two statements in raw psycopg.

`python -m bench.ledger --debits 4000`. Both sides use as many threads, each with a connection of its own, in one
process on one PostgreSQL. Each debit is a transaction of its own: the guarded UPDATE of the balance and the INSERT of
the ledger row. Once all of them meet in one wallet, whose row they wait for; once they are spread over many.
"""

import argparse
import os
import random
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bench.stage import a_customer, machine, seconds_of, shop

AIM = 0.4
WALLETS = 1000
DEBIT = """UPDATE wallet_wallet SET balance_micros = balance_micros - %s
    WHERE user_id = %s AND balance_micros >= %s RETURNING id"""
LEDGER = """INSERT INTO wallet_ledgerentry (wallet_id, kind, amount_micros, reference, note, created_by_id, created_at)
    VALUES (%s, 'charge', %s, %s, '', NULL, %s) RETURNING id"""
Take = Callable[[int, Any, str], None]  # by this thread's connection, from this customer, under this reference


def per_second(debits: int, threads: int, users: list[Any], name: str, take: Take) -> float:
    """Let each thread take its share from customers drawn by lot; return how many debits all of them did a second."""
    from django.db import connection

    from orders.fulfilment.thread_pool import map_in_threads

    def share(thread: int) -> None:
        chance = random.Random(thread)
        for number in range(debits // threads):
            take(thread, chance.choice(users), f"{name}:{thread}:{number}")
        connection.close()

    return debits / seconds_of(lambda: map_in_threads(range(threads), share, threads=threads, name="ledger"))


def raw(debits: int, threads: int, users: list[Any], name: str) -> float:
    """Debit in raw psycopg; return how many a second."""
    import psycopg

    connections = [psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) for _thread in range(threads)]

    def take(thread: int, user: Any, reference: str) -> None:
        connection = connections[thread]
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(DEBIT, (1, user.pk, 1))
            wallet_id = cursor.fetchone()[0]
            cursor.execute(LEDGER, (wallet_id, -1, reference, datetime.now(UTC)))
            cursor.fetchone()

    result = per_second(debits, threads, users, f"raw {name}", take)
    for connection in connections:
        connection.close()
    return result


def ours(debits: int, threads: int, users: list[Any], name: str) -> float:
    """Debit by the operation, in a transaction as its callers have one; return how many a second."""
    from django.db import transaction

    from wallet.operations import debit

    def take(_thread: int, user: Any, reference: str) -> None:
        with transaction.atomic():
            debit(user=user, amount_micros=1, kind="charge", reference=reference)

    return per_second(debits, threads, users, f"ours {name}", take)


def measured(title: str, debits: int, threads: int, users: list[Any], rounds: int) -> tuple[float, float, float]:
    """Return the medians of both sides, and of their share in each round; the sides take turns in going first."""
    results = []
    for number in range(rounds + 1):
        count = debits if number else threads * 20  # the first round warms up, and is thrown away
        sides = {
            side: side(count, threads, users, f"{title} {number}") for side in ((raw, ours), (ours, raw))[number % 2]
        }
        results.append((sides[raw], sides[ours]))
    limit, mine = (statistics.median(column) for column in zip(*results[1:], strict=True))
    return limit, mine, statistics.median(our / maximum for maximum, our in results[1:])


def run(debits: int, threads: int, rounds: int) -> bool:
    """Measure and print; return whether the aim was met."""
    debits -= debits % threads
    met = True
    with shop():
        from django.db import connection
        from django.db.models import F, Sum

        from wallet.models import LedgerEntry, Wallet

        users = [a_customer(number) for number in range(WALLETS)]
        print(f"{debits:,} debits a side, {threads} threads and connections, {rounds} rounds; {machine()}")
        for title, some in (("one wallet", users[:1]), (f"{WALLETS:,} wallets", users)):
            limit, mine, share = measured(title, debits, threads, some, rounds)
            met = met and share >= AIM
            print(f"{title:>14}   raw psycopg {limit:7.0f} a second   debit {mine:7.0f} a second, ", end="")
            print(f"{share:.0%} of that (aim: at least {AIM:.0%})")
        booked = LedgerEntry.objects.filter(kind="charge").count()
        assert booked == 2 * 2 * (rounds * debits + 20 * threads), f"{booked} debits"
        torn = Wallet.objects.annotate(booked=Sum("entries__amount_micros")).exclude(balance_micros=F("booked"))
        assert not torn.exists(), "a balance is not its ledger"
        connection.close()
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--debits", type=int, default=4000, help="a side and round")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; the median counts")
    arguments = parser.parse_args()
    return 0 if run(arguments.debits, arguments.threads, arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
