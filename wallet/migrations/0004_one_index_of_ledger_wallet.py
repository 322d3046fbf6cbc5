"""Another index of the ledger begins with the wallet."""

import django.db.models.deletion
from django.db import migrations, models

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0003_top_ups_for_a_human")]

    operations = [
        DropForeignKeyIndexWithoutLock(
            "ledgerentry",
            "wallet",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="wallet.wallet",
                verbose_name="wallet",
            ),
        ),
    ]
