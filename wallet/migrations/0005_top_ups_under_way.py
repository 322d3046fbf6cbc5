"""A customer's payments that are under way, among very many that are not."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0004_one_index_of_ledger_wallet")]

    operations = [
        AddIndexWithoutLock(
            "topup",
            models.Index(
                condition=models.Q(("status__in", ("created", "pending"))),
                fields=["user", "-id"],
                name="top_ups_under_way",
            ),
        ),
    ]
