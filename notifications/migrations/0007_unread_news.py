from django.db import migrations, models

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False  # on PostgreSQL the index is built while notices are written

    dependencies = [("notifications", "0006_news_in_the_bell")]

    operations = [
        AddIndexWithoutLock(
            "notice",
            models.Index(
                fields=["user", "created_at"],
                condition=models.Q(("in_bell", True), ("read_at", None)),
                name="unread_notices",
            ),
        )
    ]
