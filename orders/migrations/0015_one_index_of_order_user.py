"""Another index of orders begins with the customer."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0014_order_search")]

    operations = [
        DropForeignKeyIndexWithoutLock(
            "order",
            "user",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to=settings.AUTH_USER_MODEL,
                verbose_name="customer",
            ),
        ),
    ]
