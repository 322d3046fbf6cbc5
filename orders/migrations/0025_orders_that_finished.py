"""Service quality is measured without the orders that finished long ago."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0024_makers_of_coupons")]

    operations = [
        AddIndexWithoutLock("order", models.Index(fields=["finished_at"], condition=models.Q(("finished_at__isnull", False), ("kind", "service")), name="order_finished")),
        AddIndexWithoutLock("orderevent", models.Index(fields=["order", "created_at"], condition=models.Q(("code", "progress")), name="order_starts")),
    ]
