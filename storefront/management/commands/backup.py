"""`manage.py backup`: an encrypted copy of the database at BACKUP_TO, read again from there; older ones are rotated."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from storefront.backups.locked import new_key
from storefront.backups.places import BackupFailed
from storefront.backups.take import take_backup

KEY = """Keep this on paper and on another machine, never beside the backups; without it no backup opens:

  {secret}

Put this into .env of the shop; with it backups are locked, and nothing can be read:

  BACKUP_RECIPIENTS={public}"""


class Command(BaseCommand):
    help = "Makes an encrypted backup of the database at BACKUP_TO, reads it again from there, and removes old ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-key", action="store_true", help="make a pair of keys, print it, and do nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_key"]:
            secret, public = new_key()
            self.stdout.write(KEY.format(secret=secret, public=public))
            return
        try:
            taken = take_backup(now=timezone.now())
        except BackupFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{taken.place}/{taken.name}: {taken.size_bytes:,} bytes, read again and found whole.")
