"""A customer's numbers, for the waiting room."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0011_open_of_customer")]

    operations = [
        AddIndexWithoutLock("order", models.Index(fields=["user", "-id"], condition=models.Q(("kind", "number")), name="order_numbers")),
    ]
