"""The steps of the set-up. A shop that sells already has been set up: nobody is asked again, and it stays open."""

import django.utils.timezone
from django.db import migrations, models

DONE = "set_up_done"  # the preference: see preferences/doors.py


def leave_open_what_is_open(apps, schema_editor):
    alias = schema_editor.connection.alias
    begun = (
        apps.get_model("catalog", "Service").objects,
        apps.get_model("orders", "Order").objects,
        apps.get_model("accounts", "User").objects,
    )
    services, orders, users = (rows.using(alias) for rows in begun)
    if services.exists() or orders.exists() or users.filter(is_staff=False).exists():
        change = apps.get_model("preferences", "PreferenceChange")
        if not change.objects.using(alias).filter(name=DONE).exists():
            change.objects.using(alias).create(name=DONE, before=None, after=True)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("catalog", "0001_initial"),
        ("orders", "0001_initial"),
        ("preferences", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SetUpStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("done", "Done"), ("failed", "Failed"), ("skipped", "Put off")], max_length=7
                    ),
                ),
                ("said", models.TextField(blank=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"verbose_name": "step of the set-up", "verbose_name_plural": "steps of the set-up"},
        ),
        migrations.RunPython(leave_open_what_is_open, migrations.RunPython.noop),
    ]
