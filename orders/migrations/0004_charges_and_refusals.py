"""Refusals are known by their plain text; pauses say who ended them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from upstream.errors import plain_text


def fill_plain_texts(apps, schema_editor):
    """Write the plain text of each listed refusal; of several that differ only in spelling the newest one stays."""
    known = apps.get_model("orders", "KnownRefusal").objects
    seen = set()
    for row in known.order_by("-pk"):
        plain = plain_text(row.text)
        if plain in seen:
            row.delete()
        else:
            seen.add(plain)
            known.filter(pk=row.pk).update(plain_text=plain)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_order_answered"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="forwardingpause",
            name="ended_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="ended by",
            ),
        ),
        migrations.AddField(
            model_name="knownrefusal",
            name="plain_text",
            field=models.CharField(editable=False, max_length=900, null=True, unique=True),
        ),
        migrations.RunPython(fill_plain_texts, migrations.RunPython.noop, elidable=True),
    ]
