"""`order_of_service` begins with the service."""

from django.db import migrations

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0017_order_of_service")]

    operations = [DropForeignKeyIndexWithoutLock("order", "service")]
