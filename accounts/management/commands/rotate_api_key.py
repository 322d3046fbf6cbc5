"""Replace a key for the shop's API."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys.api_keys import KeyIsRevoked, TooManyKeys, rotate_api_key
from accounts.management.key_argument import find_key
from accounts.preferences import MAX_KEYS
from accounts.trail import Action, record


class Command(BaseCommand):
    help = "Replace an API key by a new one that may do the same, and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", metavar="KEY", help="its number at the admin, or the beginning of its text")
        parser.add_argument(
            "--keep-hours", type=int, default=0, help="how long the old one goes on; default: not at all"
        )

    def handle(self, *args: Any, key: str, keep_hours: int, **options: Any) -> None:
        if not 0 <= keep_hours <= 24 * 365:
            raise CommandError("--keep-hours should be a number of hours, up to a year.")
        old = find_key(key)
        try:
            new, text = rotate_api_key(old.pk, keep_old_for=timedelta(hours=keep_hours))
        except KeyIsRevoked:
            raise CommandError(f"The key {key} does not work any more.") from None
        except TooManyKeys:
            raise CommandError(f"The customer has {MAX_KEYS.value} keys beside it; revoke one first.") from None
        record(Action.COMMAND, actor=None, target=new, after={"command": "rotate_api_key", "replaces": old.pk})
        self.stdout.write(text)
