"""What the page costs once there are many orders: it reads the few rows that are meant, never the table."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order
from storefront.metrics import order_facts, page
from tests.orders.conftest import place

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite does not tell so much of its plans"),
]
__all__ = ["place"]  # a fixture
FINISHED = 60_000
COLUMNS = [field.column for field in Order._meta.concrete_fields]
OVERWRITTEN = {
    "id": "1000000 + number",
    "status": "'completed'",
    "upstream_id": "'past-' || number",
    "next_poll_at": "NULL",
    "created_at": "now() - interval '20 days' - number * interval '1 minute'",
    "finished_at": "now() - interval '19 days' - number * interval '1 minute'",
}


@pytest.fixture
def many(place):
    """Sixty thousand finished orders of the last weeks, and four that wait; return the first of these."""
    order = place()
    chosen = ", ".join(OVERWRITTEN.get(column, f"was.{column}") for column in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO orders_order ({', '.join(COLUMNS)}) SELECT {chosen}"  # noqa: S608 - our own words
            f" FROM orders_order was, generate_series(1, {FINISHED}) number WHERE was.id = %s",
            [order.pk],
        )
        cursor.execute("ANALYZE orders_order")
    for _each in range(3):
        place()
    return order


def test_gauges_of_orders_when_there_are_many_read_no_whole_table(many, sandbox):
    with CaptureQueriesContext(connection) as asked:
        for facts in page.FACTS:
            facts.read(timezone.now())

    scans, looked_at = [], 0
    for query in asked.captured_queries:
        if "orders_order" not in query["sql"] or not query["sql"].startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        looked_at += 1
        if re.search(r"Seq Scan on orders_order\b", plan):
            scans.append(f"{query['sql']}\n{plan}")
    assert looked_at > 5
    assert not scans, "\n\n".join(scans)


def test_open_orders_are_counted_by_indexes_of_the_open_ones(many):
    assert order_facts.FACTS[0].read(timezone.now())["shop_orders"][0] == ({"status": "paid"}, 4.0)
