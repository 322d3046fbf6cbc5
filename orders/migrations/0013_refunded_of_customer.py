"""A customer's orders of which something was given back."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0012_numbers_of_customer")]

    operations = [
        AddIndexWithoutLock("order", models.Index(fields=["user", "-id"], condition=models.Q(("refunded_micros__gt", 0)), name="order_refunded")),
    ]
