"""Everything that moves money in a wallet. A debit and what it pays for belong in one transaction of the caller."""

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from upstream.money import text_from_micros
from wallet.models import LedgerEntry, Wallet


class InsufficientFunds(Exception):
    """The balance does not cover the amount; `missing_micros` says by how much. The text is for the customer."""

    def __init__(self, missing_micros: int) -> None:
        self.missing_micros = missing_micros
        super().__init__(
            _("Your balance does not cover this: %(amount)s is missing.") % {"amount": text_from_micros(missing_micros)}
        )


class AlreadyBooked(Exception):
    """The wallet has an entry with this reference: the money has moved before, and nothing moved now."""


def wallet_of(user: User) -> Wallet:
    """Return the customer's wallet, opening an empty one at the first need."""
    return Wallet.objects.get_or_create(user=user)[0]


def credit(
    *,
    user: User,
    amount_micros: int,
    kind: str,
    reference: str,
    note: str = "",
    actor: User | None = None,
) -> LedgerEntry:
    """Add `amount_micros` (above zero) to the wallet and write its ledger row.

    Raises AlreadyBooked when the reference has been used in this wallet, ValueError for an amount of zero or less;
    nothing has changed then.
    """
    return _book(user, amount_micros, kind, reference, note, actor)


def debit(
    *,
    user: User,
    amount_micros: int,
    kind: str,
    reference: str,
    note: str = "",
    actor: User | None = None,
) -> LedgerEntry:
    """Take `amount_micros` (above zero) from the wallet and write its ledger row.

    Raises InsufficientFunds, AlreadyBooked, or ValueError for an amount of zero or less; nothing has changed then.
    """
    return _book(user, -amount_micros, kind, reference, note, actor, takes=True)


def adjust(*, user: User, amount_micros: int, note: str, actor: User | None, reference: str) -> LedgerEntry:
    """Move money by hand, either way; the note says why and is mandatory.

    Raises ValueError without a note or for an amount of zero, InsufficientFunds and AlreadyBooked as above.
    """
    if not note.strip():
        raise ValueError("an adjustment needs a note")
    takes = amount_micros < 0
    kind = LedgerEntry.Kind.ADJUSTMENT
    return _book(user, amount_micros, kind, reference, note, actor, takes=takes)


def _book(
    user: User,
    signed_micros: int,
    kind: str,
    reference: str,
    note: str,
    actor: User | None,
    *,
    takes: bool = False,
) -> LedgerEntry:
    if signed_micros == 0 or takes != (signed_micros < 0):
        raise ValueError("an amount of money to move must be above zero")
    wallet = wallet_of(user)
    try:
        with transaction.atomic():
            _move_balance(wallet, signed_micros)
            return LedgerEntry.objects.create(
                wallet=wallet,
                kind=kind,
                amount_micros=signed_micros,
                reference=reference,
                note=note,
                created_by=actor,
            )
    except IntegrityError as error:
        if LedgerEntry.objects.filter(wallet=wallet, reference=reference).exists():
            raise AlreadyBooked(reference) from error
        raise


def _move_balance(wallet: Wallet, signed_micros: int) -> None:
    """Check and move in one statement: two tabs cannot both spend the same money."""
    enough = Wallet.objects.filter(pk=wallet.pk, balance_micros__gte=-signed_micros)
    if not enough.update(balance_micros=F("balance_micros") + signed_micros):
        wallet.refresh_from_db()
        raise InsufficientFunds(-signed_micros - wallet.balance_micros)
