"""A wallet's newest movements, and what came after one of them."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0001_initial")]

    operations = [
        AddIndexWithoutLock("ledgerentry", models.Index(fields=["wallet", "-id"], include=["amount_micros"], name="ledger_of_a_wallet")),
    ]
