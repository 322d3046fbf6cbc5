"""Two roles of the database: one that migrates and owns the tables, one that runs the shop and may not tidy up.

The running role reads and writes rows. It changes no table, and of those that only grow (`accounts/append_only.py`) it
may add rows and read them. What retention empties there it asks functions for, which belong to the migrating role.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction
from psycopg import sql

from accounts.append_only import AGES, PROTECTED, emptying_function
from storefront.postgresql.pooled import DIRECT

# What says which migrations ran, and how old a row must be before retention touches it, is not the shop's to change.
ONLY_READ = ("django_migrations", AGES)
WHERE = ("HOST", "PORT", "NAME", "USER", "PASSWORD")
CREATE = "CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
GRANTS = (
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
)


def running_role() -> tuple[str, str]:
    """Return the name and the password of the role that runs the shop; the name is empty where one role does both."""
    migrating = settings.MIGRATION_DATABASE
    running = settings.DATABASES["default"]
    if not migrating or migrating["USER"] == running.get("USER"):
        return "", ""
    return running["USER"], running.get("PASSWORD") or ""


@contextmanager
def migrating_role(connection: Any) -> Iterator[None]:
    """Connect as the role that migrates, and past a pool, as long as this lasts; as always where there is neither."""
    as_before = dict(connection.settings_dict)
    other = settings.MIGRATION_DATABASE or as_before.get(DIRECT)
    if not other or connection.vendor != "postgresql":
        yield
        return
    connection.close()
    options = {**as_before["OPTIONS"], **other.get("OPTIONS", {})}  # how it is encrypted is said with each address
    connection.settings_dict.update({**{key: other[key] for key in WHERE}, "OPTIONS": options, DIRECT: None})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(as_before)


def grant_running_role(connection: Any, name: str, password: str = "") -> None:
    """Make the running role if there is none, and give it what it needs and nothing else; any number of times.

    In one transaction: at no moment may it more than it should. Wants a connection of the migrating role. Where
    that one may make no roles, somebody who may has made this one before.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT current_schema(), current_database(), current_user")
        schema, database, migrating = cursor.fetchone()
        words = {
            "role": sql.Identifier(name),
            "schema": sql.Identifier(schema),
            "database": sql.Identifier(database),
        }

        def run(statement: str, **more: Any) -> None:
            cursor.execute(sql.SQL(statement).format(**words, **more).as_string(cursor.connection))

        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = %s", [migrating])
        may_make_roles = cursor.fetchone()[0]
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        if cursor.fetchone() is None:
            run(CREATE)
        if password and may_make_roles:
            run("ALTER ROLE {role} PASSWORD {password}", password=sql.Literal(password))
        cursor.execute(
            "SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = %s", [schema]
        )
        if cursor.fetchone()[0]:  # before PostgreSQL 15 everybody might make tables in the schema "public"
            run("REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
        for grant in GRANTS:
            run(grant)
        _take_back(connection, run)


def _take_back(connection: Any, run: Any) -> None:
    there = set(connection.introspection.table_names())
    for table in ONLY_READ:
        if table in there:
            run("REVOKE INSERT, UPDATE, DELETE ON {schema}.{table} FROM {role}", table=sql.Identifier(table))
    for one in PROTECTED:
        if one.table not in there:
            continue
        run("REVOKE UPDATE, DELETE ON {schema}.{table} FROM {role}", table=sql.Identifier(one.table))
        if one.emptied:
            function = sql.Identifier(emptying_function(one))
            run("GRANT EXECUTE ON FUNCTION {schema}.{function}(bigint[]) TO {role}", function=function)
