"""The customer's money: the ledger, and what comes in from outside."""

from wallet.models.ledger import LedgerEntry, LedgerIsAppendOnly, LedgerQuerySet, Wallet
from wallet.models.payments import OPEN_TOP_UPS, GatewayEvent, MoneyRequest, Receipt, Receivable, TopUp

__all__ = [
    "OPEN_TOP_UPS",
    "GatewayEvent",
    "LedgerEntry",
    "LedgerIsAppendOnly",
    "LedgerQuerySet",
    "MoneyRequest",
    "Receipt",
    "Receivable",
    "TopUp",
    "Wallet",
]
