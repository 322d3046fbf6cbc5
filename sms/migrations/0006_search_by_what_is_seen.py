"""Numbers are found by what of the names of websites and countries is seen."""

from django.db import migrations

from accounts.batches import rewrite_texts
from upstream.reading.text import comparable


def rewrite(apps, schema_editor):
    """Bring the stored texts to what is compared now; a sync would do the same only for what it touches."""
    for name in ("Country", "Site", "Project"):
        rewrite_texts(apps.get_model("sms", name).objects.order_by(), "search_text", lambda text: comparable(text)[:400])


class Migration(migrations.Migration):
    atomic = False  # many short statements: nobody waits for all of them
    dependencies = [("sms", "0005_how_upstream_writes_a_country")]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop, elidable=True)]
