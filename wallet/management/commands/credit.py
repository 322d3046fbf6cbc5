"""Put money into a customer's wallet by hand."""

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.trail import Action, record
from upstream.money import micros_from_decimal, text_from_micros
from upstream.reading.text import line
from wallet.models import LedgerEntry
from wallet.operations import AlreadyBooked, credit, wallet_of

MAXIMUM = Decimal(1_000_000_000)


class Command(BaseCommand):
    help = "Put money into a customer's wallet; the ledger keeps the note."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("amount", metavar="AMOUNT", help="in the shop's currency, like 12.50")
        parser.add_argument("--note", required=True, help="why, for the ledger")
        parser.add_argument("--reference", default="", help="a name for this payment; the same one never pays twice")

    def handle(self, *args: Any, email: str, amount: str, note: str, reference: str, **options: Any) -> None:
        user = User.objects.filter(email=line(email).lower()).first()
        if user is None:
            raise CommandError(f"No customer has the address {email}.")
        if not note.strip() or len(note) > 300:
            raise CommandError("--note should say why, in 1 to 300 characters.")
        if len(reference) > 90:
            raise CommandError("--reference is longer than 90 characters.")
        amount_micros = _micros(amount)
        booked_as = f"credit:{reference or uuid.uuid4()}"
        try:
            with transaction.atomic():
                credit(
                    user=user,
                    amount_micros=amount_micros,
                    kind=LedgerEntry.Kind.ADJUSTMENT,
                    reference=booked_as,
                    note=note.strip(),
                )
                done = {"command": "credit", "amount_micros": amount_micros, "reference": booked_as}
                record(Action.COMMAND, actor=None, target=user, after={**done, "note": note.strip()})
        except AlreadyBooked:
            raise CommandError(f"The reference {reference} has been booked before; nothing was paid.") from None
        balance = text_from_micros(wallet_of(user).balance_micros)
        paid = text_from_micros(amount_micros)
        self.stdout.write(f"{user.email}: +{paid} {settings.STORE_CURRENCY}, balance {balance}")


def _micros(text: str) -> int:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise CommandError(f"{text} is not an amount; write it like 12.50.") from None
    if not amount.is_finite() or not 0 < amount <= MAXIMUM:
        raise CommandError(f"{text} is not an amount above zero and up to {MAXIMUM}.")
    if amount != amount.quantize(Decimal("0.000001")):
        raise CommandError(f"{text} has more than six decimals.")
    return micros_from_decimal(amount)
