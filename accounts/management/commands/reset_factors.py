"""`manage.py reset_factors EMAIL`: let in somebody who has lost their second factor and their recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.security.factor_removal import remove_factors


class Command(BaseCommand):
    help = (
        "Remove the second factors of an account and end its sessions. The person is told by mail; staff sets up "
        "new ones at the next sign-in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the account's address")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise CommandError(f"Nobody has the address {email}.")
        removed = remove_factors(user, actor=None)
        if not removed:
            raise CommandError(f"{user.email} has no second factor.")
        self.stdout.write(f"{user.email}: removed {', '.join(removed)}; all sessions have ended.")
