"""Indexes and constraints that are added while the shop sells, on a table of the test's own."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, NotSupportedError, connection, migrations, models, transaction
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from accounts.online_migrations import (
    AddConstraintWithoutLock,
    AddIndexWithoutLock,
    AddUniqueWithoutLock,
    DropForeignKeyIndexWithoutLock,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has neither locks nor halves")

INDEX = AddIndexWithoutLock("Large", models.Index(fields=["amount"], name="large_amount"))
POSITIVE = AddConstraintWithoutLock(
    "Large", models.CheckConstraint(condition=models.Q(amount__gte=0), name="large_not_below_zero")
)

ONCE = AddUniqueWithoutLock("Large", models.UniqueConstraint(fields=["amount"], name="large_once"))


class Table:
    """A table with three rows, and what a migration does to it."""

    def __init__(self) -> None:
        self.before = ProjectState()
        made = migrations.CreateModel("Large", [("id", models.BigAutoField(primary_key=True)), self._amount()])
        made.state_forwards("accounts", self.before)
        self.model = self.before.apps.get_model("accounts", "Large")

    @staticmethod
    def _amount() -> tuple[str, models.Field]:
        return "amount", models.IntegerField()

    def apply(self, operation: Operation, *, backwards: bool = False) -> list[str]:
        """Run the operation as a migration with `atomic = False` does, and return its statements."""
        after = self.before.clone()
        operation.state_forwards("accounts", after)
        with CaptureQueriesContext(connection) as asked, connection.schema_editor(atomic=False) as editor:
            if backwards:
                operation.database_backwards("accounts", editor, after, self.before)
            else:
                operation.database_forwards("accounts", editor, self.before, after)
        return [query["sql"] for query in asked]

    def constraints(self) -> dict[str, dict]:
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, self.model._meta.db_table)
        return {name: found[name] for name in found if name.startswith("large_")}


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    with connection.schema_editor() as editor:
        editor.create_model(table.model)
    table.model.objects.bulk_create(table.model(amount=amount) for amount in (1, 1, 2))
    yield table
    with connection.schema_editor() as editor:
        editor.delete_model(table.model)


def one(sql: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def another() -> psycopg.Connection:
    return psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor})


def test_add_index_when_it_is_applied_and_taken_back_then_the_index_comes_and_goes(table: Table) -> None:
    table.apply(INDEX)
    assert table.constraints()["large_amount"]["columns"] == ["amount"]

    table.apply(INDEX, backwards=True)
    assert table.constraints() == {}


def test_drop_foreign_key_index_when_it_is_applied_and_taken_back_then_only_that_index_goes_and_comes(
    table: Table,
) -> None:
    plain = AddIndexWithoutLock("Large", models.Index(fields=["amount"], name="large_plain"))
    both = AddIndexWithoutLock("Large", models.Index(fields=["amount", "id"], name="large_both"))
    for operation in (plain, both):
        table.apply(operation)
    drop = DropForeignKeyIndexWithoutLock("Large", "amount")

    table.apply(drop)
    assert set(table.constraints()) == {"large_both"}

    table.apply(drop, backwards=True)
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table.model._meta.db_table)
    assert [one["columns"] for one in found.values() if one["columns"] == ["amount"]] == [["amount"]]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("orders_order", "user_id"),
        ("orders_order", "service_id"),
        ("orders_checkout", "user_id"),
        ("sms_number", "project_id"),
        ("wallet_ledgerentry", "wallet_id"),
    ],
)
def test_large_tables_have_no_index_of_a_column_that_another_index_begins_with(name: str, column: str) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, name).values()

    indexes = [one["columns"] for one in found if one["index"] or one["unique"]]
    assert [column] not in indexes
    assert any(columns[:1] == [column] for columns in indexes)


def test_add_constraint_when_it_is_applied_and_taken_back_then_rows_are_held_to_it_meanwhile(table: Table) -> None:
    table.apply(POSITIVE)
    with pytest.raises(IntegrityError), transaction.atomic():
        table.model.objects.create(amount=-1)

    table.apply(POSITIVE, backwards=True)
    table.model.objects.create(amount=-1)


def test_add_constraint_when_a_row_breaks_it_then_nothing_is_left_and_it_can_be_applied_later(table: Table) -> None:
    wrong = table.model.objects.create(amount=-1)

    with pytest.raises(IntegrityError):
        table.apply(POSITIVE)

    assert table.constraints() == {}
    wrong.delete()
    table.apply(POSITIVE)
    assert table.constraints()["large_not_below_zero"]["check"]


def test_add_constraint_when_it_is_no_check_then_it_is_refused() -> None:
    with pytest.raises(TypeError, match="CheckConstraint"):
        AddConstraintWithoutLock("Large", models.UniqueConstraint(fields=["amount"], name="large_once"))


@on_postgresql
@pytest.mark.parametrize("operation", [INDEX, POSITIVE, ONCE], ids=["index", "constraint", "unique"])
def test_operation_when_its_migration_is_a_transaction_then_it_is_refused(table: Table, operation: Operation) -> None:
    with pytest.raises(NotSupportedError, match="atomic = False"), transaction.atomic():
        table.apply(operation)


@on_postgresql
def test_add_index_when_rows_are_being_written_then_it_outwaits_them_whatever_the_limit(table: Table) -> None:
    written = threading.Event()

    def write() -> None:
        with another() as writer:
            writer.execute("INSERT INTO accounts_large (amount) VALUES (9)")
            written.set()
            time.sleep(0.6)

    writing = threading.Thread(target=write)
    writing.start()
    written.wait(10)
    one("SELECT set_config('lock_timeout', '100ms', false)")
    try:
        statements = table.apply(INDEX)
        assert one("SHOW lock_timeout") == ("100ms",)
    finally:
        one("SELECT set_config('lock_timeout', '0', false)")
        writing.join()

    assert any(statement.startswith("CREATE INDEX CONCURRENTLY") for statement in statements)
    assert one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'large_amount'::regclass") == (True,)


@on_postgresql
def test_add_index_when_an_attempt_left_a_half_built_one_then_it_is_built_anew(table: Table) -> None:
    with pytest.raises(IntegrityError), connection.cursor() as cursor:  # two rows are the same
        cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY large_amount ON accounts_large (amount)")
    half = "SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = 'large_amount'::regclass"
    assert one(half) == (False, True)

    table.apply(INDEX)

    assert one(half) == (True, False)


@on_postgresql
def test_add_constraint_when_rows_are_looked_through_then_the_table_is_not_locked(table: Table) -> None:
    statements = [sql for sql in table.apply(POSITIVE) if sql.startswith("ALTER TABLE")]

    assert [sql.rpartition('"')[0].split(" ", 3)[3].split(' "')[0] for sql in statements] == [
        "DROP CONSTRAINT IF EXISTS",
        "ADD CONSTRAINT",
        "VALIDATE CONSTRAINT",
    ]
    assert statements[1].endswith(" NOT VALID")
    assert one("SELECT convalidated FROM pg_constraint WHERE conname = 'large_not_below_zero'") == (True,)


@on_postgresql
def test_add_constraint_when_an_attempt_ended_between_its_steps_then_it_can_be_applied_again(table: Table) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_large ADD CONSTRAINT large_not_below_zero CHECK (amount >= 0) NOT VALID")

    table.apply(POSITIVE)

    assert one("SELECT convalidated FROM pg_constraint WHERE conname = 'large_not_below_zero'") == (True,)


def test_add_unique_when_it_is_applied_and_taken_back_then_rows_are_held_to_it_meanwhile(table: Table) -> None:
    table.model.objects.filter(pk=table.model.objects.earliest("pk").pk).delete()
    table.apply(ONCE)
    with pytest.raises(IntegrityError), transaction.atomic():
        table.model.objects.create(amount=2)
    assert table.constraints()["large_once"]["unique"]

    table.apply(ONCE, backwards=True)
    table.model.objects.create(amount=2)


@on_postgresql
def test_add_unique_when_rows_break_it_then_it_can_be_applied_once_they_are_repaired(table: Table) -> None:
    with pytest.raises(IntegrityError, match="large_once"):
        table.apply(ONCE)
    table.model.objects.create(amount=1)  # nobody is held to what could not be built
    table.model.objects.filter(amount=1).delete()

    statements = [sql for sql in table.apply(ONCE) if not sql.startswith(("SELECT", "SET"))]

    assert [sql.split('"')[0].strip() for sql in statements] == [
        "ALTER TABLE",
        "DROP INDEX CONCURRENTLY IF EXISTS",
        "CREATE UNIQUE INDEX CONCURRENTLY",
        "ALTER TABLE",
    ]
    assert one("SELECT contype FROM pg_constraint WHERE conname = 'large_once'") == ("u",)
    table.apply(ONCE)  # of an attempt that ended before it was written down


def test_add_unique_when_it_has_a_condition_then_it_is_refused() -> None:
    some = models.UniqueConstraint(fields=["amount"], condition=models.Q(amount__gt=0), name="large_once")
    with pytest.raises(TypeError, match="over columns"):
        AddUniqueWithoutLock("Large", some)
