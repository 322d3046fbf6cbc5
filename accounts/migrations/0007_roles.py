"""The shop's ready-made roles as groups. Their rights follow when `migrate` has made all permissions."""

from django.db import migrations

NAMES = ("Owner", "Finance", "Catalog", "Support")


def make(apps, schema_editor):
    """A group that a shop has made itself under one of these names keeps its rights and members, not its name.

    Else whoever happens to be in a group of theirs called "Owner" would own the shop from now on.
    """
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in NAMES:
        theirs = groups.filter(name=name).first()
        if theirs is not None:
            number = 1
            while groups.filter(name=f"{name} (yours {number})").exists():
                number += 1
            theirs.name = f"{name} (yours {number})"
            theirs.save(update_fields=["name"])
        groups.create(name=name)


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('accounts', '0006_factors_at_rest'),
    ]

    operations = [
        # Going back leaves the groups: people are in them, and Django's own rights need no more than that.
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
