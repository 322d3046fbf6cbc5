from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False  # each of its statements is one of its own

    dependencies = [("orders", "0031_drop_price_and_quantity")]

    operations = [
        AddIndexWithoutLock(
            model_name="goodsclaim",
            index=models.Index(
                condition=models.Q(state="waiting"), fields=["delivered_at"], name="claims_waiting"
            ),
        ),
    ]
