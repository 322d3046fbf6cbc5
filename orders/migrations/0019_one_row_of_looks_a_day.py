"""Whoever looks again at the same goods on a day adds to the count of that day's row."""

from django.db import migrations, models

from accounts.online_migrations import AddUniqueWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0018_one_index_of_order_service")]

    operations = [
        AddUniqueWithoutLock(
            "goodsreveal", models.UniqueConstraint(fields=("goods", "user", "day"), name="one_row_of_looks_a_day")
        ),
    ]
