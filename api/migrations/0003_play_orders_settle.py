from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("api", "0002_secrets_and_hosts_of_webhooks"),
    ]

    operations = [
        migrations.AddField(
            model_name="playorder",
            name="settled_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="settled"),
        ),
        migrations.AddIndex(
            model_name="playorder",
            index=models.Index(
                condition=models.Q(("settled_at", None)), fields=["user"], name="play_order_under_way"
            ),
        ),
    ]
