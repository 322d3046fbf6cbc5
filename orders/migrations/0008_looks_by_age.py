from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0007_looks_by_day_and_retention")]

    operations = [
        AddIndexWithoutLock("goodsreveal", models.Index(fields=["created_at"], name="looks_by_age")),
    ]
