"""Money that a gateway took back from us, and cashback of what was refunded: it is taken from the wallet, and what is
not there any more is owed.

While a customer owes something nothing can be bought; whatever comes in later pays it first (`ledger`).
"""

from dataclasses import dataclass

from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from wallet.models import LedgerEntry, Receivable, TopUp, Wallet
from wallet.operations.ledger import InsufficientFunds, credit, debit, wallet_of


@dataclass(frozen=True)
class Debt:
    """What a customer owes, in micros: of payments that were taken back, and of cashback."""

    payments_micros: int = 0
    cashback_micros: int = 0

    @property
    def micros(self) -> int:
        return self.payments_micros + self.cashback_micros

    @property
    def words(self) -> str:
        """What it is owed for and how much it is, for the customer."""
        if not self.cashback_micros:
            text = _("One of your payments was reversed, and %(amount)s of it is still owed.")
        elif not self.payments_micros:
            text = _("An order was refunded, so its cashback was taken back, and %(amount)s of it is still owed.")
        else:
            text = _("Payments were reversed and cashback was taken back, and %(amount)s of that is still owed.")
        return text % {"amount": money(self.micros)}


class OwesMoney(Exception):
    """The customer owes `owed_micros` since something was taken back. The text is for the customer."""

    def __init__(self, debt: Debt) -> None:
        self.owed_micros = debt.micros
        super().__init__(f"{debt.words} {_('Add money to keep buying.')}")


def debt_of(user: User) -> Debt:
    """Return what this customer owes, by what it is owed for."""
    left, paid = F("amount_micros") - F("paid_micros"), Q(top_up__isnull=False)
    sums = Receivable.objects.filter(user=user, settled_at=None).aggregate(
        payments=Sum(left, filter=paid), cashback=Sum(left, filter=~paid)
    )
    return Debt(sums["payments"] or 0, sums["cashback"] or 0)


def owed_by(user: User) -> int:
    """Return the micros this customer owes."""
    return debt_of(user).micros


def check_may_buy(user: User) -> None:
    """Return when the customer owes nothing. Raises OwesMoney."""
    debt = debt_of(user)
    if debt.micros > 0:
        raise OwesMoney(debt)


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
