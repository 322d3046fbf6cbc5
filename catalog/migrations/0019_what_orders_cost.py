"""What the orders of each service were expected to cost and did, kept with the margins that are measured hourly."""

from django.db import migrations, models
from django.db.models import F, Q

from accounts.money import MicrosField
from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0018_moved_services")]

    operations = [
        migrations.AddField(
            "servicemargin",
            "charged_orders",
            models.PositiveIntegerField(db_default=0, default=0, verbose_name="orders charged"),
        ),
        migrations.AddField(
            "servicemargin",
            "charged_upstream_micros",
            MicrosField(db_default=0, default=0, verbose_name="charged"),
        ),
        migrations.AddField(
            "servicemargin",
            "expected_upstream_micros",
            MicrosField(db_default=0, default=0, verbose_name="expected cost"),
        ),
        migrations.AddField(
            "servicemargin",
            "surplus_upstream_micros",
            MicrosField(db_default=0, default=0, verbose_name="charged more than expected"),
        ),
        AddIndexWithoutLock(
            "servicemargin",
            models.Index(
                F("surplus_upstream_micros").desc(),
                "service",
                condition=Q(charged_orders__gt=0),
                name="margin_by_surplus",
            ),
        ),
    ]
