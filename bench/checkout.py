"""Orders placed per second by `place_order`, as a share of the same debit and inserts in raw psycopg.

`python -m bench.checkout --orders 2000`. Both sides use as many threads, each with a connection and a customer of its
own, in one process on one PostgreSQL. The raw side writes the same rows in one transaction: checkout, order, guarded
debit, ledger row, event; it checks, prices and wakes no worker.
"""

import argparse
import json
import os
import statistics
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from bench.stage import a_customer, a_service, machine, seconds_of, shop

AIM = 0.5
LINK = "https://example.com/bench"
CHECKOUT = """INSERT INTO orders_checkout (user_id, request_id, fingerprint, created_at)
    VALUES (%s, %s, %s, %s) RETURNING id"""
DEBIT = """UPDATE wallet_wallet SET balance_micros = balance_micros - %s
    WHERE user_id = %s AND balance_micros >= %s RETURNING id"""
LEDGER = """INSERT INTO wallet_ledgerentry (wallet_id, kind, amount_micros, reference, note, created_by_id, created_at)
    VALUES (%s, 'charge', %s, %s, %s, NULL, %s)"""
EVENT = """INSERT INTO orders_orderevent (order_id, code, status, data, evidence, actor_id, created_at)
    VALUES (%s, 'placed', 'paid', %s, '{}', NULL, %s)"""


def per_second(orders: int, threads: int, place: Callable[[int, int], None]) -> float:
    """Let each thread place its share by `place(thread, number)`; return how many all of them placed a second."""
    from django.db import connection

    from orders.fulfilment.thread_pool import map_in_threads

    def share(thread: int) -> None:
        for number in range(orders // threads):
            place(thread, number)
        connection.close()

    return orders / seconds_of(lambda: map_in_threads(range(threads), share, threads=threads, name="checkout"))


def order_insert(connection: Any) -> tuple[str, list[str]]:
    """Return the INSERT of an order and its columns, all of the table's but the id."""
    names = [row[0] for row in connection.execute("SELECT * FROM orders_order LIMIT 0").description if row[0] != "id"]
    marks = ", ".join(f"%({name})s" for name in names)
    return f"INSERT INTO orders_order ({', '.join(names)}) VALUES ({marks}) RETURNING id", names  # noqa: S608 - its own columns


def raw(users: list[Any], service: Any, orders: int) -> float:
    """Place orders in raw psycopg; return how many a second."""
    import psycopg
    from psycopg.types.json import Jsonb

    from bench.stage import order_rows
    from orders.models import Order

    connections = [psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) for _user in users]
    insert, names = order_insert(connections[0])
    values: list[dict[str, Any]] = []
    for user in users:
        row = order_rows(user, service, 1)[0]
        fields = {field.column: field for field in Order._meta.concrete_fields}
        named = {name: fields[name].value_from_object(row) for name in names}
        values.append({name: Jsonb(value) if isinstance(value, dict) else value for name, value in named.items()})
    fingerprint = 64 * "0"
    note = values[0]["title"]

    def place(thread: int, _number: int) -> None:
        connection, row, now = connections[thread], values[thread], datetime.now(UTC)
        price, user_id = row["price_micros"], row["user_id"]
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(CHECKOUT, (user_id, str(uuid.uuid4()), fingerprint, now))
            checkout_id = cursor.fetchone()[0]
            cursor.execute(insert, {**row, "checkout_id": checkout_id, "created_at": now})
            order_id = cursor.fetchone()[0]
            cursor.execute(DEBIT, (price, user_id, price))
            wallet_id = cursor.fetchone()[0]
            cursor.execute(LEDGER, (wallet_id, -price, f"order:{order_id}", note, now))
            cursor.execute(EVENT, (order_id, json.dumps({"price_micros": price, "quantity": 1000}), now))

    result = per_second(orders, len(users), place)
    for connection in connections:
        connection.close()
    return result


def ours(users: list[Any], service: Any, orders: int) -> float:
    """Place orders by the operation, as page and API do; return how many a second."""
    from orders.placing.place import place_order

    def place(thread: int, number: int) -> None:
        request_id = uuid.uuid4().hex
        place_order(
            user=users[thread],
            service=service,
            quantity=1000,
            link=f"{LINK}/{number}",
            request_id=request_id,
            now=timezone.now(),
        )

    return per_second(orders, len(users), place)


def run(orders: int, threads: int, rounds: int) -> bool:
    """Measure and print; return whether the aim was met."""
    orders -= orders % threads
    with shop() as sandbox:
        from django.db import connection

        from orders.accounting.audit import audit
        from orders.models import Order

        service, users = a_service(sandbox), [a_customer(number) for number in range(threads)]
        results = [(raw(users, service, 10 * threads), ours(users, service, 10 * threads))]  # thrown away: warm-up
        results = [(raw(users, service, orders), ours(users, service, orders)) for _round in range(rounds)]
        placed = Order.objects.count()
        assert placed == 2 * (rounds * orders + 10 * threads), f"{placed} orders"
        assert audit(client=None, now=timezone.now()).problems == []
        connection.close()
    limit, mine = (statistics.median(column) for column in zip(*results, strict=True))
    share = statistics.median(our / maximum for maximum, our in results)
    print(f"{orders:,} orders a side, {threads} threads and connections, {rounds} rounds; {machine()}")
    print(f"raw psycopg   {limit:7.1f} a second")
    print(f"place_order   {mine:7.1f} a second, {share:.0%} of that (aim: at least {AIM:.0%})")
    return share >= AIM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=2000, help="orders a side and round")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts")
    arguments = parser.parse_args()
    return 0 if run(arguments.orders, arguments.threads, arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
