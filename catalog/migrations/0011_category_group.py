"""Categories stand under headings; staff may say under which."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_fact_indexes")]

    operations = [
        migrations.AddField(
            model_name="category",
            name="group",
            field=models.CharField(
                blank=True,
                choices=[
                    ("social", "Social networks and media"),
                    ("accounts", "Accounts"),
                    ("keys", "Keys, software and subscriptions"),
                    ("numbers", "Numbers"),
                    ("sites", "Websites, maps and apps"),
                    ("other", "More"),
                ],
                db_default="",
                default="",
                help_text="Under which heading customers find it. Empty: as read from its name.",
                max_length=8,
                verbose_name="group",
            ),
        ),
    ]
