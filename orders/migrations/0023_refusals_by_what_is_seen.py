"""Listed refusals are known by what of their text is seen."""

from django.db import migrations

from upstream.errors import plain_text


def rewrite(apps, schema_editor):
    """Bring the plain texts to what is compared now; of several that look alike the newest one stays.

    The others go first: one of them may hold the text that the newest gets, and it is the newest that staff decided.
    """
    known = apps.get_model("orders", "KnownRefusal").objects
    newest = {}
    for row in known.exclude(plain_text=None).order_by("-pk"):
        if newest.setdefault(plain_text(row.text), row) is not row:
            row.delete()
    stale = {plain: row for plain, row in newest.items() if row.plain_text != plain}
    # What one row has been is what another becomes, perhaps: nobody has it in between.
    known.filter(pk__in=[row.pk for row in stale.values()]).update(plain_text=None)
    for plain, row in stale.items():
        known.filter(pk=row.pk).update(plain_text=plain)


class Migration(migrations.Migration):
    dependencies = [("orders", "0022_drift_of_syncs")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop, elidable=True)]
