"""What a customer has under way, however much has finished."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0010_open_polls")]

    operations = [
        AddIndexWithoutLock("order", models.Index(fields=["user", "-id"], condition=models.Q(("status__in", ("paid", "sending", "unknown", "pending", "in_progress"))), name="order_open_of_customer")),
    ]
