"""What changes numbers. `sms.supply` speaks to upstream about them, `sms.sync` copies where they can be had."""

from sms.operations.buy import MOST_AT_ONCE, buy_numbers
from sms.operations.cancel import give_up_number
from sms.operations.replace import CodeHasCome, may_be_swapped, swap_number
from sms.operations.replacement_candidates import Exchange, best_exchange, exchanges_of
from sms.operations.replacement_rules import (
    MOST_EXCHANGES,
    SwapWish,
    drop_swap_rule,
    set_swap_rule,
)
from sms.operations.retention import wipe_contents
from sms.operations.sweep import swap_due

__all__ = [
    "MOST_AT_ONCE",
    "MOST_EXCHANGES",
    "CodeHasCome",
    "Exchange",
    "SwapWish",
    "best_exchange",
    "buy_numbers",
    "drop_swap_rule",
    "exchanges_of",
    "give_up_number",
    "may_be_swapped",
    "set_swap_rule",
    "swap_due",
    "swap_number",
    "wipe_contents",
]
