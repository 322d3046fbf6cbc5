"""Customers search their orders by a part of title or link."""

from django.db import migrations

from accounts.online_migrations import search_indexes


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0013_refunded_of_customer"), ("catalog", "0001_initial")]  # which has the extension

    operations = [
        search_indexes(
            "orders_order",
            {"order_title_search": "UPPER(title::text)", "order_link_search": "UPPER(link::text)"},
        )
    ]
