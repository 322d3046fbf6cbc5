"""Listed refusals are known by what of their text is seen."""

from django.db import IntegrityError, migrations, transaction

from upstream.errors import plain_text


def rewrite(apps, schema_editor):
    """Bring the plain texts to what is compared now; of several that look alike the newest one stays."""
    known = apps.get_model("orders", "KnownRefusal").objects
    for row in known.exclude(plain_text=None).order_by("-pk"):
        if (plain := plain_text(row.text)) == row.plain_text:
            continue
        try:
            with transaction.atomic():
                known.filter(pk=row.pk).update(plain_text=plain)
        except IntegrityError:
            row.delete()


class Migration(migrations.Migration):
    dependencies = [("orders", "0022_drift_of_syncs")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop, elidable=True)]
