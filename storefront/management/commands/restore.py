"""`manage.py restore FILE`: prove a backup, put it into an empty database, then do what a restored shop needs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from storefront.backups.locked import read_identities
from storefront.backups.places import BackupFailed, place_of
from storefront.backups.restore import bring_back, check_empty, prove
from storefront.postgresql.roles import migrating_role


class Command(BaseCommand):
    help = "Proves a backup, puts it into an empty database, migrates, and runs after_restore. Stop the workers first."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a path, s3://bucket/folder/name, or a name at BACKUP_TO")
        parser.add_argument("--identity", type=Path, metavar="FILE", help="a file with the secret key")
        parser.add_argument("--check", action="store_true", help="only prove it; no database is touched")

    def handle(self, *args: Any, file: str, identity: Path | None, check: bool, **options: Any) -> None:
        before, _slash, name = file.rpartition("/")
        try:
            place = place_of(settings.BACKUPS, before or (None if settings.BACKUPS.to else "."))
            identities = read_identities(identity or settings.BACKUPS.identity_file)
            # On a new server the role that runs the shop comes to be with the migrations alone.
            with migrating_role(connection):
                if not check:
                    check_empty()
                if not prove(place, name, identities):
                    self.stderr.write(f"{name}.json is missing: nothing was compared with a checksum.")
                self.stdout.write(f"{name} was read to its end, and is whole.")
                if check:
                    return
                bring_back(place, name, identities)
        except BackupFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write("It is in the database. Now the migrations, and what a restored shop needs.")
        call_command("migrate", verbosity=0, stdout=self.stdout)
        call_command("after_restore", stdout=self.stdout)
