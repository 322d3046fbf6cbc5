"""Staff looks at payments of one state; nearly all are paid."""

from django.db import migrations, models
from django.db.models import Q

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0009_cashback_in_the_ledger")]

    operations = [
        AddIndexWithoutLock(
            "topup",
            models.Index(fields=["status", "-id"], condition=~Q(status="paid"), name="top_ups_not_paid"),
        )
    ]
