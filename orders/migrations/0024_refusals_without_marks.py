"""Listed refusals are known by what of their text is seen: without variation selectors and marks around letters."""

from importlib import import_module

from django.db import migrations

rewrite = import_module("orders.migrations.0023_refusals_by_what_is_seen").rewrite


class Migration(migrations.Migration):
    dependencies = [("orders", "0023_refusals_by_what_is_seen")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop, elidable=True)]
