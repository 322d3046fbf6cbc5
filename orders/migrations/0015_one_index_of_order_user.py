"""Another index of orders begins with the customer."""

from django.db import migrations

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0014_order_search")]

    operations = [DropForeignKeyIndexWithoutLock("order", "user")]
