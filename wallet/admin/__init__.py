"""Admin pages of money: the ledger, payments from outside, and moves by hand."""

from wallet.admin import (
    customer,
    ledger,
    manual_moves,
    payments,
    receipts,
)

__all__ = ["customer", "ledger", "manual_moves", "payments", "receipts"]
