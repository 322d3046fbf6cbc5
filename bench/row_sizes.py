"""How many rows and bytes an order leaves in PostgreSQL, by table: what docs/scaling.md calculates with.

A PostgreSQL of its own is filled as for `bench.scale` (every order with its events, ledger rows, notices, and what else
`bench/scale_fill.py` makes of a year), and each table is looked up with its indexes. What grows with customers or
services is left out.
"""

import argparse
import sys

from bench.stage import machine, shop

NOT_BY_ORDER = ("accounts_", "account_", "catalog_", "sms_country", "sms_site", "sms_project", "django_", "auth_")
SIZES = """
    SELECT relname, n_live_tup, pg_table_size(relid), pg_indexes_size(relid)
    FROM pg_stat_user_tables WHERE n_live_tup > 0 ORDER BY pg_total_relation_size(relid) DESC
"""


def main() -> int:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    orders = parser.parse_args().orders
    with shop():
        from django.db import connection

        from bench.scale_fill import Size, fill

        fill(Size(orders))
        with connection.cursor() as cursor:
            cursor.execute(SIZES)
            rows = [row for row in cursor.fetchall() if not row[0].startswith(NOT_BY_ORDER)]
    print(f"{machine()}; {orders:,} orders\n")
    print("| table | rows an order | bytes of rows | bytes of indexes |\n|---|---|---|---|")
    for name, count, table, indexes in rows:
        if (table + indexes) / orders >= 1:
            print(f"| {name} | {count / orders:.2f} | {table / orders:.0f} | {indexes / orders:.0f} |")
    sums = [sum(row[column] for row in rows) / orders for column in (1, 2, 3)]
    print(f"| all | {sums[0]:.1f} | {sums[1]:.0f} | {sums[2]:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
