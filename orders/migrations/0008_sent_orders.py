"""The newest upstream ids are asked for before every order that is sent; without it the unsent ones are walked through."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0007_open_questions"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("upstream_id__isnull", False)), fields=["kind", "-id"], name="order_sent"
            ),
        ),
    ]
