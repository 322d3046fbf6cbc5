"""Everything that moves money in a wallet."""

from wallet.operations.ledger import AlreadyBooked, InsufficientFunds, adjust, credit, debit, wallet_of

__all__ = ["AlreadyBooked", "InsufficientFunds", "adjust", "credit", "debit", "wallet_of"]
