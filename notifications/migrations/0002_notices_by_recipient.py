from django.conf import settings
from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexWithoutLock("notice", models.Index(fields=["user", "sent_at"], name="notices_of_a_recipient")),
    ]
