"""How many services each word is in: of two words that are equally close to a mistyped one, the usual one was meant."""

from django.db import migrations


def add_counts(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE catalog_searchword ADD COLUMN services integer NOT NULL DEFAULT 0")
        # All words are compared: with words of four letters the index would miss most mistakes.
        schema_editor.execute("DROP INDEX searchword_likeness")


def drop_counts(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE INDEX searchword_likeness ON catalog_searchword USING gin (word gin_trgm_ops)")
        schema_editor.execute("ALTER TABLE catalog_searchword DROP COLUMN services")


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0007_exchange_rate"),
    ]

    operations = [
        migrations.RunPython(add_counts, drop_counts),
    ]
