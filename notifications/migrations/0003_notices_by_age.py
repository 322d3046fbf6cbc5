from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0002_notices_by_recipient")]

    operations = [
        AddIndexWithoutLock("notice", models.Index(fields=["created_at"], name="notices_by_age")),
    ]
