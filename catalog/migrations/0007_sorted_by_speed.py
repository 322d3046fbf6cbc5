"""Lists that begin with the fastest services read an index in their order."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0006_service_quality")]

    operations = [
        AddIndexWithoutLock("service", models.Index(fields=["done_seconds", "id"], condition=models.Q(("withdrawn_at", None)), name="service_by_speed")),
    ]
