"""Another index of the ledger begins with the wallet."""

from django.db import migrations

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0003_top_ups_for_a_human")]

    operations = [DropForeignKeyIndexWithoutLock("ledgerentry", "wallet")]
