"""`manage.py migrate`: Django's own, but as the role that migrates, and it does not queue for a table for long.

A statement that changes a table waits until whoever uses the table is done, and everybody who comes later waits behind
it: one long report would be enough to stop the shop. PostgreSQL ends the wait instead; what was applied before stays.
"""

import contextlib
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, OperationalError, connections
from psycopg.errors import LockNotAvailable

from storefront.postgresql.roles import grant_running_role, migrating_role, running_role

TABLE_IN_USE = """\
A table that is to be changed was in use for more than {seconds:g} s, and nobody was made to wait behind it any longer.
The migration that waited has changed nothing. Migrate again at a quieter moment, or after whatever uses the table has
ended: SELECT pid, query FROM pg_stat_activity ORDER BY xact_start; MIGRATION_LOCK_TIMEOUT_SECONDS sets how long."""


class Command(migrate.Command):
    """Django's `migrate` with a limit on waiting for locks; afterwards the running role may use what is new."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with migrating_role(connection):
            self._migrate(connection, *args, **options)
            name, password = running_role()
            if name:
                grant_running_role(connection, name, password)

    def _migrate(self, connection: Any, *args: Any, **options: Any) -> None:
        seconds = settings.MIGRATION_LOCK_TIMEOUT_SECONDS
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            (before,) = cursor.fetchone()
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [str(int(seconds * 1000))])
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise CommandError(TABLE_IN_USE.format(seconds=seconds)) from error
            raise
        finally:
            with contextlib.suppress(DatabaseError), connection.cursor() as cursor:  # it may have ended
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])
