from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0002_keys_that_spend_together")]

    operations = [
        AddIndexWithoutLock("apikey", models.Index(fields=["counts_with"], name="keys_that_spend_together")),
    ]
