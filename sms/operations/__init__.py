"""What changes numbers: buying them. `sms.supply` speaks to upstream about them, `sms.sync` copies where they are."""

from sms.operations.buying import MOST_AT_ONCE, buy_numbers

__all__ = ["MOST_AT_ONCE", "buy_numbers"]
