"""Countries, websites and what is sold of them are found by the words of their names, whatever signs stand between."""

from django.db import migrations

from accounts.batches import rewrite_texts
from upstream.reading.text import searchable


def rewrite(apps, schema_editor):
    """Bring the stored texts to what is compared now, none of them any longer than it was."""
    for name in ("Country", "Site", "Project"):
        rewrite_texts(apps.get_model("sms", name).objects.order_by(), "search_text", lambda text: searchable(text)[:400])


class Migration(migrations.Migration):
    atomic = False  # many short statements: nobody waits for all of them
    dependencies = [("sms", "0010_codes_at_rest")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop, elidable=True)]
