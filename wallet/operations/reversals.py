"""Money that a gateway took back from us: it is taken from the wallet, and what is not there any more is owed.

While a customer owes something nothing can be bought; whatever comes in later pays it first (`ledger`).
"""

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from wallet.models import LedgerEntry, Receivable, TopUp, Wallet
from wallet.operations.ledger import InsufficientFunds, credit, debit, wallet_of


class OwesMoney(Exception):
    """The customer owes `owed_micros` since a payment was taken back. The text is for the customer."""

    def __init__(self, owed_micros: int) -> None:
        self.owed_micros = owed_micros
        super().__init__(
            _("One of your payments was reversed, and %(amount)s of it is still owed. Add money to keep buying.")
            % {"amount": money(owed_micros)}
        )


def owed_by(user: User) -> int:
    """Return the micros this customer owes."""
    open_ones = Receivable.objects.filter(user=user, settled_at=None)
    return open_ones.aggregate(owed=Sum(F("amount_micros") - F("paid_micros")))["owed"] or 0


def check_may_buy(user: User) -> None:
    """Return when the customer owes nothing. Raises OwesMoney."""
    owed_micros = owed_by(user)
    if owed_micros > 0:
        raise OwesMoney(owed_micros)


def take_back(top_up: TopUp, amount_micros: int, note: str) -> None:
    """Take `amount_micros` from the customer: what the wallet holds at once, the rest as a receivable.

    Belongs in the transaction that changes the top-up and holds its row.
    """
    taken_micros = _take_what_is_there(top_up, amount_micros, note)
    if taken_micros < amount_micros:
        missing_micros = amount_micros - taken_micros
        Receivable.objects.create(user=top_up.user, top_up=top_up, amount_micros=missing_micros, note=note)


def take_back_earning(user: User, amount_micros: int, *, kind: str, reference: str, note: str) -> int:
    """Take back `amount_micros` that an order had earned the customer; return what of it became a receivable.

    The same as `take_back`, for what no payment brought: `kind` and `reference` are those of the row of the ledger.
    """
    wallet_of(user)
    wallet = Wallet.objects.select_for_update().get(user=user)
    taken_micros = 0
    while there_micros := min(wallet.balance_micros, amount_micros):
        try:
            debit(user=user, amount_micros=there_micros, kind=kind, reference=reference, note=note)
        except InsufficientFunds:  # on SQLite, where nothing is held: look again how much there is
            wallet.refresh_from_db()
        else:
            taken_micros = there_micros
            break
    missing_micros = amount_micros - taken_micros
    if missing_micros:
        Receivable.objects.create(user=user, amount_micros=missing_micros, note=note)
    return missing_micros


def give_back(top_up: TopUp, amount_micros: int, note: str) -> None:
    """Return `amount_micros` that had been taken back; what the customer owes is paid from it first."""
    kind, reference = LedgerEntry.Kind.REVERSAL, _next_reference(top_up, "returned")
    credit(user=top_up.user, amount_micros=amount_micros, kind=kind, reference=reference, note=note)


def _take_what_is_there(top_up: TopUp, amount_micros: int, note: str) -> int:
    wallet_of(top_up.user)
    # On PostgreSQL the row waits for nobody afterwards; on SQLite the whole transaction does not.
    wallet = Wallet.objects.select_for_update().get(user=top_up.user)
    while taken_micros := min(wallet.balance_micros, amount_micros):
        reference = _next_reference(top_up, "reversed")
        kind = LedgerEntry.Kind.REVERSAL
        try:
            debit(user=top_up.user, amount_micros=taken_micros, kind=kind, reference=reference, note=note)
        except InsufficientFunds:  # refused before anything was written: look again how much there is
            wallet.refresh_from_db()
        else:
            return taken_micros
    return 0


def _next_reference(top_up: TopUp, what: str) -> str:
    """A payment may be disputed, won and disputed again; each time is a row of its own."""
    begins = f"top_up:{top_up.reference}:{what}:"
    times = LedgerEntry.objects.filter(wallet__user=top_up.user, reference__startswith=begins).count()
    return f"{begins}{times + 1}"
