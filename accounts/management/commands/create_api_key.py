"""Give a customer a key for the shop's API."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys.allowed_networks import NotANetwork, TooManyNetworks
from accounts.keys.api_keys import TooManyKeys, create_api_key
from accounts.models import User
from accounts.preferences import MAX_KEYS
from accounts.trail import Action, record
from upstream.money import micros_from_decimal
from upstream.reading.text import line

FIELDS = {"read": "may_read", "order": "may_order", "sms": "may_sms", "secrets": "may_see_secrets"}


class Command(BaseCommand):
    help = "Create an API key for a customer and print it, once: only its fingerprint is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--name", required=True, help="what the key is for, for the customer's list")
        parser.add_argument(
            "--scopes", default=",".join(FIELDS), help="what it may do, of read,order,sms,secrets; default: everything"
        )
        parser.add_argument("--daily-limit", metavar="AMOUNT", help="what it may spend a day, in the shop's currency")
        parser.add_argument("--addresses", default="", help="addresses or networks it may be used from, with commas")
        parser.add_argument("--calls-per-minute", type=int, help="default: as the settings say")
        parser.add_argument("--test", action="store_true", help="a key for the test mode, with test money")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        user = User.objects.filter(email=line(email).lower()).first()
        if user is None:
            raise CommandError(f"No customer has the address {email}.")
        if not user.is_active:
            raise CommandError(f"The account of {email} is disabled: a key would not work.")
        if not name.strip() or len(name) > 80:
            raise CommandError("--name should say what the key is for, in 1 to 80 characters.")
        calls_per_minute = options["calls_per_minute"]
        if calls_per_minute is not None and calls_per_minute < 1:
            raise CommandError("--calls-per-minute should be above zero.")
        try:
            key, text = create_api_key(
                user=user,
                name=name,
                is_test=options["test"],
                daily_limit_micros=_micros(options["daily_limit"]),
                allowed_addresses=options["addresses"],
                calls_per_minute=calls_per_minute,
                **_powers(options["scopes"]),
            )
        except NotANetwork as error:
            raise CommandError(f"--addresses: {error} is not an address or a network.") from None
        except TooManyNetworks as error:
            raise CommandError(f"--addresses: {error}.") from None
        except TooManyKeys:
            raise CommandError(f"{email} has {MAX_KEYS.value} keys already; revoke one first.") from None
        record(Action.COMMAND, actor=None, target=key, after={"command": "create_api_key", "customer": user.email})
        self.stdout.write(text)


def _powers(text: str) -> dict[str, bool]:
    named = {part.strip() for part in text.split(",") if part.strip()}
    if not named or named - set(FIELDS):
        raise CommandError(f"--scopes should name some of {','.join(FIELDS)}.")
    return {field: scope in named for scope, field in FIELDS.items()}


def _micros(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
        if not amount.is_finite() or not 0 <= amount <= 1_000_000_000:
            raise InvalidOperation
    except InvalidOperation:
        raise CommandError(f"--daily-limit: {text} is not an amount; write it like 12.50.") from None
    return micros_from_decimal(amount)
