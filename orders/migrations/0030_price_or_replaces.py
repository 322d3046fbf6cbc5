from django.db import migrations, models

from accounts.online_migrations import AddConstraintWithoutLock


class Migration(migrations.Migration):
    atomic = False  # each of its statements is one of its own

    dependencies = [("orders", "0029_orders_that_replace")]

    operations = [
        AddConstraintWithoutLock(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(quantity__gt=0)
                & (
                    models.Q(price_micros__gt=0, original=None)
                    | models.Q(price_micros=0, original__isnull=False)
                ),
                name="order_has_price_or_replaces",
            ),
        ),
    ]
