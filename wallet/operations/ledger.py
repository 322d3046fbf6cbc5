"""The one place where balances change. A debit and what it pays for belong in one transaction of the caller.

Whatever comes in pays first what the customer owes (`Receivable`), in the same transaction and with rows that say so.
"""

from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.fast_queries.inserts import insert_row
from accounts.fast_queries.reads import Prepared
from accounts.models import User
from accounts.templatetags.money import money
from wallet.models import LedgerEntry, Receivable, Wallet


class InsufficientFunds(Exception):
    """The balance does not cover the amount; `missing_micros` says by how much. The text is for the customer."""

    def __init__(self, missing_micros: int) -> None:
        self.missing_micros = missing_micros
        super().__init__(_("Your balance is too low: you need %(amount)s more.") % {"amount": money(missing_micros)})


class AlreadyBooked(Exception):
    """The wallet has an entry with this reference: the money has moved before, and nothing moved now."""


def wallet_of(user: User) -> Wallet:
    """Return the customer's wallet, opening an empty one at the first need."""
    return Wallet.objects.get_or_create(user=user)[0]


_balance = Prepared(lambda: Wallet.objects.filter(user_id=0).order_by().values_list("balance_micros"), example=(0,))


def balance_of(user: User) -> int:
    """Return what is in the customer's wallet, in micros; one query."""
    for (balance_micros,) in _balance.rows(user.pk):
        return int(balance_micros)
    return wallet_of(user).balance_micros


def credit(
    *,
    user: User,
    amount_micros: int,
    kind: str,
    reference: str,
    note: str = "",
    actor: User | None = None,
) -> LedgerEntry:
    """Add `amount_micros` (above zero) to the wallet and write its ledger row; what is owed is paid from it at once.

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

    When it refuses, the transaction around it is to be rolled back, as what it was to pay for should be.
    Raises InsufficientFunds, AlreadyBooked, or ValueError for an amount of zero or less; nothing has changed then.
    """
    # A sale is a transaction already, and a savepoint in it two statements more.
    return _book(user, -amount_micros, kind, reference, note, actor, takes=True, savepoint=False)


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
    savepoint: bool = True,
) -> LedgerEntry:
    if signed_micros == 0 or takes != (signed_micros < 0):
        raise ValueError("an amount of money to move must be above zero")
    try:
        with transaction.atomic(savepoint=savepoint):
            entry = LedgerEntry(
                kind=kind, amount_micros=signed_micros, reference=reference, note=note, created_by=actor
            )
            _move_and_write(user, entry)
            if signed_micros > 0:
                _pay_what_is_owed(user, entry.wallet_id)
            return entry
    except IntegrityError as error:
        if is_booked_twice(error):
            raise AlreadyBooked(reference) from error
        raise


def is_booked_twice(error: IntegrityError) -> bool:
    """Return whether a ledger row was refused because its wallet has one with this reference."""
    return any(name in str(error) for name in _ONCE_PER_WALLET)


def _move_and_write(user: User, entry: LedgerEntry) -> None:
    """Check and move in one statement, so that two tabs cannot both spend the same money, and insert the entry.

    On PostgreSQL one statement does both: the wallet is held for less long, and a sale waits for one answer less.
    """
    move: list[Any] = [entry.amount_micros, user.pk, -entry.amount_micros]
    one_statement = connection.vendor == "postgresql"
    # Not querysets: they cannot return the id, and asking for it would be a statement more for every order.
    with connection.cursor() as cursor:
        if one_statement:
            row = [entry.kind, entry.amount_micros, entry.reference, entry.note, entry.created_by_id, entry.created_at]
            cursor.execute(_MOVE_AND_WRITE, move + row)
        else:
            cursor.execute(_MOVE, move)
        moved = cursor.fetchone()
    if moved is None:
        wallet = wallet_of(user)
        if entry.amount_micros < 0:
            raise InsufficientFunds(-entry.amount_micros - wallet.balance_micros)
        _move_and_write(user, entry)  # only the wallet was missing
        return
    entry.wallet_id = moved[0]
    if one_statement:
        entry.pk = moved[1]
        entry._state.adding, entry._state.db = False, connection.alias
    else:
        insert_row(entry)


def _pay_what_is_owed(user: User, wallet_id: int) -> None:
    """Pay open receivables from the balance, the oldest first; the UPDATE before holds the wallet until it commits."""
    for owed in Receivable.objects.filter(user=user, settled_at=None).order_by("pk"):
        balance_micros = Wallet.objects.values_list("balance_micros", flat=True).get(pk=wallet_id)
        paid_micros = min(owed.amount_micros, owed.paid_micros + balance_micros)
        if paid_micros == owed.paid_micros:
            return
        settled_at = timezone.now() if paid_micros == owed.amount_micros else None
        unchanged = Receivable.objects.filter(pk=owed.pk, paid_micros=owed.paid_micros)
        if unchanged.update(paid_micros=paid_micros, settled_at=settled_at):
            part_micros, reference = paid_micros - owed.paid_micros, f"receivable:{owed.pk}:{paid_micros}"
            kind = LedgerEntry.Kind.REVERSAL
            _book(user, -part_micros, kind, reference, owed.note, None, takes=True, savepoint=False)


# How PostgreSQL and SQLite name the constraint on references.
_ONCE_PER_WALLET = ("ledger_reference_once_per_wallet", "wallet_ledgerentry.reference")
_MOVE = """
    UPDATE wallet_wallet SET balance_micros = balance_micros + %s
    WHERE user_id = %s AND balance_micros >= %s RETURNING id
"""
_MOVE_AND_WRITE = f"""
    WITH moved AS ({_MOVE})
    INSERT INTO wallet_ledgerentry (wallet_id, kind, amount_micros, reference, note, created_by_id, created_at)
    SELECT id, %s, %s, %s, %s, CAST(%s AS bigint), %s FROM moved RETURNING wallet_id, id
"""  # noqa: S608 - our own words
