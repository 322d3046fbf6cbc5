"""Changing a large table while the shop sells: migration operations that keep nobody from reading or writing it.

They lie in the lowest app that has tables, so that the migrations of every app may use them. On PostgreSQL each of them
takes more than one statement that cannot share a transaction: its migration says `atomic = False` and holds nothing
else. On SQLite, where only one process writes at a time anyway, they do what Django's own operations do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import IntegrityError, NotSupportedError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint, CheckConstraint

INVALID_INDEX = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"


class AddIndexWithoutLock(AddIndexConcurrently):
    """Add an index while rows are written.

    An index that an earlier, interrupted attempt left half built is removed first, so that migrating again is enough.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            with transaction.atomic(using=schema_editor.connection.alias):
                AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        with _waiting_as_long_as_it_takes(schema_editor):
            self._remove_half_built(schema_editor)
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
            return
        with _waiting_as_long_as_it_takes(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def _remove_half_built(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.collect_sql:  # it is only asked what it would do
            return
        name = schema_editor.quote_name(self.index.name)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(INVALID_INDEX, [name])
            if cursor.fetchone() is not None:
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")


class AddConstraintWithoutLock(AddConstraint):
    """Add a CHECK that new rows keep at once, and look through the old ones while others read and write.

    If one of them breaks it, the constraint is removed again and IntegrityError tells which constraint it was.
    """

    def __init__(self, model_name: str, constraint: BaseConstraint) -> None:
        if not isinstance(constraint, CheckConstraint):
            raise TypeError("AddConstraintWithoutLock is for a CheckConstraint; others need an index first.")
        super().__init__(model_name, constraint)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            with transaction.atomic(using=connection.alias):
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(connection.alias, model):
            return
        if connection.in_atomic_block:
            raise NotSupportedError(
                "In a transaction the table would stay locked while its rows are looked through: "
                "set atomic = False on the migration."
            )
        table, name = schema_editor.quote_name(model._meta.db_table), schema_editor.quote_name(self.constraint.name)
        # Of an attempt that was interrupted between the two statements.
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        schema_editor.execute(f"{self.constraint.create_sql(model, schema_editor)} NOT VALID", params=None)
        try:
            with _waiting_as_long_as_it_takes(schema_editor):
                schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        except IntegrityError:
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            raise

    def describe(self) -> str:
        return f"Without a lock: {super().describe()}"


@contextmanager
def _waiting_as_long_as_it_takes(schema_editor: Any) -> Iterator[None]:
    """Lift the limit on waiting for locks: while these statements wait, nobody has to wait behind them."""
    if schema_editor.collect_sql:
        yield
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (limit,) = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [limit])
