"""How well services do by the shop's own orders, and the two figures of it that lists show and sort by."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_translated_names")]

    operations = [
        migrations.CreateModel(
            name="ServiceQuality",
            fields=[
                ("service", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="quality", serialize=False, to="catalog.service", verbose_name="service")),
                ("orders", models.PositiveIntegerField(verbose_name="orders")),
                ("completed", models.PositiveIntegerField(verbose_name="completed")),
                ("partial", models.PositiveIntegerField(verbose_name="partially completed")),
                ("refunded", models.PositiveIntegerField(verbose_name="refunded")),
                ("start_seconds", models.PositiveIntegerField(null=True, verbose_name="usual time to the start")),
                ("start_seconds_most", models.PositiveIntegerField(null=True, verbose_name="time to the start of nine in ten")),
                ("done_seconds", models.PositiveIntegerField(null=True, verbose_name="usual time to the end")),
                ("done_seconds_most", models.PositiveIntegerField(null=True, verbose_name="time to the end of nine in ten")),
                ("by_day", models.JSONField(default=list)),
                ("measured_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="measured")),
            ],
            options={"verbose_name": "service quality", "verbose_name_plural": "service quality"},
        ),
        migrations.AddField(
            model_name="service",
            name="completed_percent",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="service",
            name="done_seconds",
            field=models.PositiveIntegerField(db_default=2147483647, default=2147483647, editable=False),
        ),
    ]
