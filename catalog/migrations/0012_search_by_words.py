"""Services are found by the words of their names, whatever signs stand between."""

from django.db import migrations

from accounts.batches import rewrite_texts
from upstream.reading.text import searchable


def rewrite(apps, schema_editor):
    """Bring the stored texts to what is compared now; a sync would do the same only for what it touches."""
    rewrite_texts(apps.get_model("catalog", "Service").objects.order_by(), "search_text", searchable)


class Migration(migrations.Migration):
    atomic = False  # many short statements: nobody waits for all of them
    dependencies = [("catalog", "0011_category_group")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop, elidable=True)]
