from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False  # on PostgreSQL the index is built while notices are written

    dependencies = [("notifications", "0005_kinds_channels_and_choices")]

    operations = [
        AddIndexWithoutLock(
            "notice",
            models.Index(
                fields=["user", "id"],
                condition=models.Q(("in_bell", True)),
                name="notices_in_the_bell",
            ),
        )
    ]
