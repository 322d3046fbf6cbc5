"""What PostgreSQL needs to search in: its extension and the index; SQLite looks through the rows."""

from django.db import DatabaseError, migrations, transaction

NO_EXTENSION = """\
The search needs PostgreSQL's extension pg_trgm, and this role may not create it or the server lacks it:
    {error}
Either let the role create it (GRANT CREATE ON DATABASE … TO …), or have a superuser run, in this database,
    CREATE EXTENSION pg_trgm;
and migrate again. Packaged servers have it in postgresql-contrib."""


def create_search(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone() is None:
            try:
                with transaction.atomic(using=schema_editor.connection.alias):
                    cursor.execute("CREATE EXTENSION pg_trgm")
            except DatabaseError as error:
                raise RuntimeError(NO_EXTENSION.format(error=str(error).strip())) from error
        cursor.execute("CREATE INDEX service_search ON catalog_service USING gin (search_text gin_trgm_ops)")


def drop_search(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX service_search")
        # The extension stays: it may have been there before, and other things may use it by now.


OPERATIONS = [migrations.RunPython(create_search, drop_search)]
