"""The constraint's index begins with the customer."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0015_one_index_of_order_user")]

    operations = [
        DropForeignKeyIndexWithoutLock(
            "checkout",
            "user",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="checkouts",
                to=settings.AUTH_USER_MODEL,
                verbose_name="customer",
            ),
        ),
    ]
