"""The customer's money: the ledger, and what comes in from outside."""

from wallet.models.ledger import LedgerEntry, LedgerIsAppendOnly, LedgerQuerySet, Wallet
from wallet.models.payments import (
    LONGEST_ID,
    OPEN_TOP_UPS,
    GatewayEvent,
    MoneyRequest,
    Receipt,
    ReceiptGap,
    Receivable,
    TopUp,
    can_be_held,
)

__all__ = [
    "LONGEST_ID",
    "OPEN_TOP_UPS",
    "GatewayEvent",
    "LedgerEntry",
    "LedgerIsAppendOnly",
    "LedgerQuerySet",
    "MoneyRequest",
    "Receipt",
    "ReceiptGap",
    "Receivable",
    "TopUp",
    "Wallet",
    "can_be_held",
]
