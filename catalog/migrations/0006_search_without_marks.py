"""Services are found by what is seen: without variation selectors and marks around letters."""

from django.db import migrations

from accounts.batches import rewrite_texts
from upstream.reading.text import comparable


def rewrite(apps, schema_editor):
    """Bring the stored texts to what is compared now; a sync would do the same only for what it touches."""
    rewrite_texts(apps.get_model("catalog", "Service").objects.order_by(), "search_text", comparable)


class Migration(migrations.Migration):
    atomic = False  # many short statements: nobody waits for all of them
    dependencies = [("catalog", "0005_translated_names")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop, elidable=True)]
