"""The database backend for PostgreSQL: connections that ended are noticed, and prepared statements answer alike."""

from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from accounts.fast_queries.reads import Prepared
from accounts.models import User
from storefront.postgresql.roles import WHERE, migrating_role

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


def another() -> psycopg.Connection:
    """A connection of somebody else's to the same database."""
    return psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}, autocommit=True)


def test_is_usable_when_the_server_has_ended_the_connection_then_it_is_not() -> None:
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    assert connection.is_usable()

    with another() as admin:
        # It waits until the connection has ended.
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    assert not connection.is_usable()
    connection.close()


def test_is_usable_when_it_is_asked_often_then_the_server_is_not() -> None:
    connection.ensure_connection()
    connection.is_usable()
    with another() as admin:
        pid = connection.connection.info.backend_pid
        seen = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
        before = admin.execute(seen, [pid]).fetchone()
        assert all(connection.is_usable() for _each in range(10))
        assert admin.execute(seen, [pid]).fetchone() == before


def test_prepared_when_it_is_asked_again_then_the_server_has_the_statement(ann: User) -> None:
    of_email = Prepared(
        lambda: User.objects.filter(email="x").order_by().values_list("id", "date_joined"), example=("x",)
    )

    connection.close()  # the next one has no statements of other tests

    answers = [of_email.rows(ann.email) for _each in range(3)]

    assert answers == [[(ann.pk, ann.date_joined)]] * 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%date_joined%'")
        assert cursor.fetchone() == (1,)


def test_prepared_when_numbers_of_every_size_are_asked_for_then_it_is_planned_once(ann: User) -> None:
    by_id = Prepared(lambda: User.objects.filter(id=1).order_by().values_list("id", "last_login"), example=(1,))

    assert [by_id.rows(number) for number in (ann.pk, 40_000, 2**31, 2**62)] == [[(ann.pk, None)], [], [], []]

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%last_login%'")
        assert cursor.fetchone() == (1,)


def test_migrating_role_when_its_address_asks_for_encryption_then_nothing_goes_without(settings: Any) -> None:
    plain = {name: connection.settings_dict[name] for name in WHERE}
    settings.MIGRATION_DATABASE = {**plain, "OPTIONS": {"sslmode": "require"}}

    with pytest.raises(OperationalError, match="SSL"), migrating_role(connection):
        connection.ensure_connection()  # the tests' server has none

    connection.ensure_connection()
