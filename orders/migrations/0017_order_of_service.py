"""What was bought lately of a service is counted without its older orders."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0016_one_index_of_checkout_user")]

    operations = [
        AddIndexWithoutLock("order", models.Index(fields=["service", "created_at"], name="order_of_service")),
    ]
