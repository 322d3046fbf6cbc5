"""Admin pages of money: the ledger, payments from outside, and moves by hand."""

from wallet.admin import ledger, payments, receipts, requests

__all__ = ["ledger", "payments", "receipts", "requests"]
