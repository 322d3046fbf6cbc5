"""Changing a large table while the shop sells: migration operations that keep nobody from reading or writing it.

They lie in the lowest app that has tables, so that the migrations of every app may use them. On PostgreSQL each of them
takes more than one statement that cannot share a transaction: its migration says `atomic = False` and holds nothing
else. On SQLite, where only one process writes at a time anyway, they do what Django's own operations do.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import IntegrityError, NotSupportedError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex, RunPython
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint, CheckConstraint, UniqueConstraint

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
        with waiting_as_long_as_it_takes(schema_editor):
            self._remove_half_built(schema_editor)
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
            return
        with waiting_as_long_as_it_takes(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def _remove_half_built(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.collect_sql:  # it is only asked what it would do
            return
        name = schema_editor.quote_name(self.index.name)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(INVALID_INDEX, [name])
            if cursor.fetchone() is not None:
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")


class DropForeignKeyIndexWithoutLock(Operation):
    """Drop the index that a foreign key brings along, where another index begins with its column.

    The field has `db_index=False` from then on. Nothing else of it changes, so no table is written anew.
    """

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        model_name = self.model_name.lower()
        field = state.models[app_label, model_name].fields[self.name].clone()
        field.db_index = False
        state.alter_field(app_label, model_name, self.name, field, preserve_default=True)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        quote, how = schema_editor.quote_name, self._how(schema_editor)
        with waiting_as_long_as_it_takes(schema_editor):
            for name in self._indexes(schema_editor, model):
                schema_editor.execute(f"DROP INDEX {how} IF EXISTS {quote(name)}")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        field = model._meta.get_field(self.name)
        quote, how = schema_editor.quote_name, self._how(schema_editor)
        name = f"{model._meta.db_table}_{field.column}"
        with waiting_as_long_as_it_takes(schema_editor):
            table, column = quote(model._meta.db_table), quote(field.column)
            schema_editor.execute(f"CREATE INDEX {how} {quote(name)} ON {table} ({column})")

    def describe(self) -> str:
        return f"Without a lock: drop the index of {self.name} on {self.model_name}"

    def _how(self, schema_editor: BaseDatabaseSchemaEditor) -> str:
        return "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""

    def _indexes(self, schema_editor: BaseDatabaseSchemaEditor, model: Any) -> list[str]:
        """Return the names of the plain indexes on this column alone; Django makes one for a foreign key."""
        named = {index.name for index in model._meta.indexes}
        field = model._meta.get_field(self.name)
        with schema_editor.connection.cursor() as cursor:
            found = schema_editor.connection.introspection.get_constraints(cursor, model._meta.db_table)
        return [
            name
            for name, one in found.items()
            if one["columns"] == [field.column] and one["index"] and not one["unique"] and name not in named
        ]


class _ConstraintWithoutLock(AddConstraint, ABC):
    """What constraints that are added in several statements have in common."""

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
        # Of an attempt that was interrupted between its statements.
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        self._add(schema_editor, model, table, name)

    @abstractmethod
    def _add(self, schema_editor: BaseDatabaseSchemaEditor, model: Any, table: str, name: str) -> None:
        """Add the constraint; `table` and `name` are quoted."""

    def describe(self) -> str:
        return f"Without a lock: {super().describe()}"


class AddConstraintWithoutLock(_ConstraintWithoutLock):
    """Add a CHECK that new rows keep at once, and look through the old ones while others read and write.

    If one of them breaks it, the constraint is removed again and IntegrityError tells which constraint it was.
    """

    def __init__(self, model_name: str, constraint: BaseConstraint) -> None:
        if not isinstance(constraint, CheckConstraint):
            raise TypeError("AddConstraintWithoutLock is for a CheckConstraint; others need an index first.")
        super().__init__(model_name, constraint)

    def _add(self, schema_editor: BaseDatabaseSchemaEditor, model: Any, table: str, name: str) -> None:
        schema_editor.execute(f"{self.constraint.create_sql(model, schema_editor)} NOT VALID", params=None)
        try:
            with waiting_as_long_as_it_takes(schema_editor):
                schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        except IntegrityError:
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            raise


class AddUniqueWithoutLock(_ConstraintWithoutLock):
    """Add a UNIQUE constraint over plain columns, whose index is built while rows are written.

    If two rows break it, the index is left half built and IntegrityError tells which: repair the rows, migrate again.
    """

    def __init__(self, model_name: str, constraint: BaseConstraint) -> None:
        if not isinstance(constraint, UniqueConstraint) or not constraint.fields or constraint.condition is not None:
            raise TypeError("AddUniqueWithoutLock is for a UniqueConstraint over columns.")
        super().__init__(model_name, constraint)
        self._fields = constraint.fields

    def _add(self, schema_editor: BaseDatabaseSchemaEditor, model: Any, table: str, name: str) -> None:
        fields = [model._meta.get_field(field) for field in self._fields]
        columns = ", ".join(schema_editor.quote_name(field.column) for field in fields)
        with waiting_as_long_as_it_takes(schema_editor):
            # A constraint brings its index along; a half-built index has none.
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            schema_editor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns})")
        schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def search_indexes(table: str, expressions: dict[str, str]) -> RunPython:
    """Return the operation that lets PostgreSQL find a part of a text: an index on each expression, by its name.

    SQLite looks through the rows. The database needs the extension pg_trgm, which the first migration of catalog adds.
    """

    def create(apps: Any, schema_editor: Any) -> None:
        drop(apps, schema_editor)  # what an interrupted attempt left half built
        for name, expression in expressions.items():
            run(schema_editor, f"CREATE INDEX CONCURRENTLY {name} ON {table} USING gin ({expression} gin_trgm_ops)")

    def drop(apps: Any, schema_editor: Any) -> None:
        for name in expressions:
            run(schema_editor, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

    def run(schema_editor: Any, sql: str) -> None:
        if schema_editor.connection.vendor == "postgresql":
            with waiting_as_long_as_it_takes(schema_editor):
                schema_editor.execute(sql)

    return RunPython(create, drop)


@contextmanager
def waiting_as_long_as_it_takes(schema_editor: Any) -> Iterator[None]:
    """Lift the limit on waiting for locks: while these statements wait, nobody has to wait behind them."""
    if schema_editor.collect_sql or schema_editor.connection.vendor != "postgresql":
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
