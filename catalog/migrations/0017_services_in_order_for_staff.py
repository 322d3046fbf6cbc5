"""Staff's list begins with the first services, those withdrawn upstream among them."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0016_import_rules_applied")]

    operations = [
        AddIndexWithoutLock("service", models.Index(fields=["position", "id"], name="service_in_order_for_staff"))
    ]
