"""Customers search their orders by a part of title or link; SQLite looks through the rows."""

from django.db import migrations

from accounts.online_migrations import waiting_as_long_as_it_takes

INDEXES = {"order_title_search": "title", "order_link_search": "link"}


def create_search(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with waiting_as_long_as_it_takes(schema_editor):
        for name, column in INDEXES.items():
            # As AddIndexWithoutLock does: what an interrupted attempt left half built is removed first.
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            schema_editor.execute(
                f"CREATE INDEX CONCURRENTLY {name} ON orders_order USING gin (UPPER({column}::text) gin_trgm_ops)"
            )


def drop_search(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with waiting_as_long_as_it_takes(schema_editor):
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0013_refunded_of_customer"), ("catalog", "0001_initial")]  # which has the extension

    operations = [migrations.RunPython(create_search, drop_search)]
