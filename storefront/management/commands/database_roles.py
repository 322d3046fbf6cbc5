"""`manage.py database_roles`: make the role that runs the shop, and give it what it needs; `migrate` does so, too."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from storefront.postgresql.roles import grant_running_role, migrating_role, running_role


class Command(BaseCommand):
    help = "Make the database role of DATABASE_URL, as that of MIGRATION_DATABASE_URL, and set what it may do."
    requires_system_checks: list[str] = []  # they may ask the database, as a role that is not there yet

    def handle(self, *args: Any, **options: Any) -> None:
        name, password = running_role()
        if not name or connection.vendor != "postgresql":
            raise CommandError("MIGRATION_DATABASE_URL names no other role than DATABASE_URL; there is nothing to do.")
        with migrating_role(connection):
            grant_running_role(connection, name, password)
        self.stdout.write(f"{name} may run the shop, and may change no table and no row of what only grows.")
