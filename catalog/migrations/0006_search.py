"""Lists that stay fast with a hundred thousand services: an index for each order, one for searching, a version."""

from django.db import DatabaseError, migrations, models, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce, Lower, NullIf

NO_EXTENSION = """\
The search needs PostgreSQL's extension pg_trgm, and this role may not create it or the server lacks it:
    {error}
Either let the role create it (GRANT CREATE ON DATABASE … TO …), or have a superuser run, in this database,
    CREATE EXTENSION pg_trgm;
and migrate again. Packaged servers have it in postgresql-contrib."""


def create_search(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return  # SQLite looks through the rows
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone() is None:
            try:
                with transaction.atomic(using=schema_editor.connection.alias):
                    cursor.execute("CREATE EXTENSION pg_trgm")
            except DatabaseError as error:
                raise RuntimeError(NO_EXTENSION.format(error=str(error).strip())) from error
        cursor.execute("CREATE INDEX service_search ON catalog_service USING gin (search_text gin_trgm_ops)")
        # Every word that services are described with: what a mistyped word is compared with.
        cursor.execute("CREATE TABLE catalog_searchword (word text PRIMARY KEY)")
        cursor.execute("CREATE INDEX searchword_likeness ON catalog_searchword USING gin (word gin_trgm_ops)")


def drop_search(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX service_search")
        schema_editor.execute("DROP TABLE catalog_searchword")
        # The extension stays: it may have been there before, and other things may use it by now.


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0005_sync_holder"),
    ]

    operations = [
        migrations.RunPython(create_search, drop_search),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(
                condition=models.Q(("withdrawn_at", None)), fields=["position", "id"], name="service_in_order"
            ),
        ),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(
                condition=models.Q(("withdrawn_at", None)),
                fields=["selling_per_thousand_micros", "id"],
                name="service_by_price",
            ),
        ),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(
                condition=models.Q(("withdrawn_at", None)), fields=["bought_lately", "id"], name="service_by_purchases"
            ),
        ),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(
                Lower(Coalesce(NullIf("shown_name", Value("")), "name")),
                "id",
                condition=models.Q(("withdrawn_at", None)),
                name="service_by_title",
            ),
        ),
        # Written by triggers, which are no migration: see catalog/version.py.
        migrations.RunSQL(
            "CREATE TABLE catalog_version (id integer NOT NULL PRIMARY KEY, changes bigint NOT NULL)",
            "DROP TABLE catalog_version",
        ),
    ]
