"""The few payments that somebody has to look at are counted on every page of the admin."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0002_ledger_of_a_wallet")]

    operations = [
        AddIndexWithoutLock("topup", models.Index(fields=["id"], condition=models.Q(("attention", ""), _negated=True), name="top_ups_for_a_human")),
    ]
