"""Whether the data of a demo were made by a version of the shop whose tables this one cannot carry on."""

from django.apps import apps
from django.db import connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader


def made_by_another_version() -> bool:
    """Say whether the demo's database has a past that the migrations of this version do not lead on from.

    It was brought up to date by migrations that are gone, by some whose order has changed, or by others of the same
    names: then all are applied, and yet a column is missing. An empty database has no past.
    """
    if not connection.introspection.table_names():
        return False
    loader = MigrationLoader(connection)
    applied = {key for key in loader.applied_migrations if key[0] in loader.migrated_apps}
    if applied - set(loader.disk_migrations):
        return True
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory:
        return True
    # While some are pending, columns may rightly be missing.
    return applied == set(loader.disk_migrations) and _lacks_a_column()


def _lacks_a_column() -> bool:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in apps.get_models(include_auto_created=True):
            if not model._meta.managed or model._meta.proxy:
                continue
            table = model._meta.db_table
            if table not in tables:
                return True
            there = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            if {field.column for field in model._meta.local_concrete_fields} - there:
                return True
    return False
