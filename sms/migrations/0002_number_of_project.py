"""How often codes came lately is counted without a project's older numbers."""

from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sms", "0001_initial")]

    operations = [
        AddIndexWithoutLock("number", models.Index(fields=["project", "created_at"], name="number_of_project")),
    ]
