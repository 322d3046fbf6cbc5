"""Stop a key for the shop's API."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys.api_keys import KeyIsRevoked, revoke_api_key
from accounts.management.key_argument import find_key
from accounts.trail import Action, record


class Command(BaseCommand):
    help = "Stop an API key from working, for good."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", metavar="KEY", help="its number at the admin, or the beginning of its text")

    def handle(self, *args: Any, key: str, **options: Any) -> None:
        found = find_key(key)
        try:
            revoke_api_key(found.pk)
        except KeyIsRevoked:
            raise CommandError(f"The key {key} had been revoked already.") from None
        record(Action.COMMAND, actor=None, target=found, after={"command": "revoke_api_key"})
        self.stdout.write(f"{found.user.email}: {found} is revoked")
