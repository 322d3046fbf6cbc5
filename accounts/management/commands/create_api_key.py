"""Give a customer a key for the shop's API."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.api_keys import create_api_key
from accounts.models import User


class Command(BaseCommand):
    help = "Create an API key for a customer and print it, once: only its fingerprint is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--name", required=True, help="what the key is for, for the customer's list")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"No customer has the address {email}.")
        if not user.is_active:
            raise CommandError(f"The account of {email} is disabled: a key would not work.")
        if not name.strip() or len(name) > 80:
            raise CommandError("--name should say what the key is for, in 1 to 80 characters.")
        _key, text = create_api_key(user=user, name=name)
        self.stdout.write(text)
