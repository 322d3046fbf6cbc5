"""Orders under way that are due are found without those that have finished."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0009_price_digest_looks")]

    operations = [
        AddIndexWithoutLock("order", models.Index(fields=["kind", "next_poll_at"], condition=models.Q(("next_poll_at__isnull", False), ("status__in", ("paid", "sending", "unknown", "pending", "in_progress"))), name="order_open_polls")),
    ]
