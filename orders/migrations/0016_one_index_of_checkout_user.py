"""The constraint's index begins with the customer."""

from django.db import migrations

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0015_one_index_of_order_user")]

    operations = [DropForeignKeyIndexWithoutLock("checkout", "user")]
