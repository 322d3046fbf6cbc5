from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False  # each of its statements is one of its own

    dependencies = [("orders", "0028_claim_answers")]

    operations = [
        AddIndexWithoutLock(
            model_name="order",
            index=models.Index(
                condition=models.Q(original__isnull=False), fields=["original"], name="order_replacements"
            ),
        ),
    ]
