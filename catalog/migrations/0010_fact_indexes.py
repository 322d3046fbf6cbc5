"""Lists are narrowed by facts through an index of their own."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0009_search_synonyms")]

    operations = [
        AddIndexWithoutLock(
            model_name="service",
            index=models.Index(condition=models.Q(("visible", True), ("withdrawn_at", None)), fields=["category", "qualities", "country", "covered_days", "speed_per_day"], name="service_by_facts"),
        ),
        AddIndexWithoutLock(
            model_name="service",
            index=models.Index(condition=models.Q(("withdrawn_at", None)), fields=["country", "position", "id"], name="service_by_country"),
        ),
    ]
