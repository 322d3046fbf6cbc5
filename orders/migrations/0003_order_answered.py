"""Windows of lost attempts are looked up by what was answered when."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0002_answered_at")]

    operations = [
        AddIndexWithoutLock(
            model_name="order",
            index=models.Index(
                fields=["kind", "sent_at"], condition=models.Q(("answered_at__isnull", False)), name="order_answered"
            ),
        ),
    ]
