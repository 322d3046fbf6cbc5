"""The migration that needs PostgreSQL's pg_trgm, where the role may not create it."""

import os
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]
# Test processes share one server.
ROLE, DATABASE, ALIAS = f"only_reads_{os.getpid()}", f"shop_without_trigrams_{os.getpid()}", "limited"
create_search = import_module("catalog.migrations._search").create_search


@pytest.fixture
def limited() -> Iterator[BaseDatabaseWrapper]:
    """A connection to an empty database that belongs to somebody else."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"DROP ROLE IF EXISTS {ROLE}")
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN")
        cursor.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    wrapper = connection.copy(alias=ALIAS)
    wrapper.settings_dict = {**connection.settings_dict, "NAME": DATABASE, "USER": ROLE}
    connections[ALIAS] = wrapper
    yield wrapper
    wrapper.close()
    del connections[ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {DATABASE}")
        cursor.execute(f"DROP ROLE {ROLE}")


def test_migrate_when_the_role_may_not_create_pg_trgm_says_what_to_do(limited: BaseDatabaseWrapper) -> None:
    with pytest.raises(RuntimeError) as refusal:
        create_search(None, SimpleNamespace(connection=limited))

    assert "permission denied" in str(refusal.value)
    assert "CREATE EXTENSION pg_trgm;" in str(refusal.value)


def test_migrate_when_a_superuser_has_created_pg_trgm_goes_on(limited: BaseDatabaseWrapper) -> None:
    superuser = connection.copy(alias="superuser")
    superuser.settings_dict = {**connection.settings_dict, "NAME": DATABASE}
    with superuser.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_trgm")
        cursor.execute("CREATE TABLE catalog_service (search_text text)")
        cursor.execute(f"ALTER TABLE catalog_service OWNER TO {ROLE}; GRANT ALL ON SCHEMA public TO {ROLE}")
    superuser.close()

    create_search(None, SimpleNamespace(connection=limited))

    with limited.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'catalog_service'")
        assert cursor.fetchall() == [("service_search",)]
