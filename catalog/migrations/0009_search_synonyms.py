"""A table of what customers type for what services are called, with the trade's words to begin with."""

import django.utils.timezone
from django.db import migrations, models

from catalog.migrations._synonyms import SYNONYMS


def fill(apps, schema_editor):
    SearchSynonym = apps.get_model("catalog", "SearchSynonym")
    SearchSynonym.objects.using(schema_editor.connection.alias).bulk_create(
        SearchSynonym(typed=typed, finds=finds) for typed, finds in SYNONYMS.items()
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_titles")]

    operations = [
        migrations.CreateModel(
            name="SearchSynonym",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "typed",
                    models.CharField(
                        help_text="A word, or up to three: “ig”, “tik tok”. Capitals and accents make no difference.",
                        max_length=80,
                        unique=True,
                        verbose_name="what is typed",
                    ),
                ),
                (
                    "finds",
                    models.CharField(
                        help_text=(
                            "Words that services are described with, with commas between them: “followers, subscribers”."
                        ),
                        max_length=300,
                        verbose_name="finds as well",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="added"),
                ),
            ],
            options={
                "verbose_name": "search synonym",
                "verbose_name_plural": "search synonyms",
                "ordering": ["typed"],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
