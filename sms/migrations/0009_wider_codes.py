"""Encrypted codes need more room. PostgreSQL makes a text of `varchar` without touching the rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sms", "0008_former_keys")]

    operations = [
        migrations.AlterField("number", "code", models.TextField(blank=True, verbose_name="code")),
    ]
