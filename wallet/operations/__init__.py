"""Everything that moves money in a wallet: the ledger, top-ups from gateways, and what is taken back."""

from wallet.operations.callbacks import handle_callback
from wallet.operations.confirmations import PaymentChanged, close_review, confirm_top_up, decline_top_up
from wallet.operations.ledger import AlreadyBooked, InsufficientFunds, adjust, balance_of, credit, debit, wallet_of
from wallet.operations.manual_moves import (
    AlreadyDecided,
    MayNotDecide,
    approve_request,
    decline_request,
    move_by_hand,
)
from wallet.operations.reversals import OwesMoney, check_may_buy, debt_of, owed_by
from wallet.operations.second_person import SubjectChanged
from wallet.operations.sweep import check_top_up, check_top_ups
from wallet.operations.top_ups import (
    TopUpRefused,
    WrongStatus,
    ask_soon,
    cancel_top_up,
    declare_transfer,
    price_top_up,
    start_top_up,
)

__all__ = [
    "AlreadyBooked",
    "AlreadyDecided",
    "InsufficientFunds",
    "MayNotDecide",
    "OwesMoney",
    "PaymentChanged",
    "SubjectChanged",
    "TopUpRefused",
    "WrongStatus",
    "adjust",
    "approve_request",
    "ask_soon",
    "balance_of",
    "cancel_top_up",
    "check_may_buy",
    "check_top_up",
    "check_top_ups",
    "close_review",
    "confirm_top_up",
    "credit",
    "debit",
    "debt_of",
    "declare_transfer",
    "decline_request",
    "decline_top_up",
    "handle_callback",
    "move_by_hand",
    "owed_by",
    "price_top_up",
    "start_top_up",
    "wallet_of",
]
