"""Coupons for tests: of 10 % and without limits, unless told otherwise."""

from decimal import Decimal
from typing import Any

from accounts.models import User
from orders.models import Coupon
from wallet.models import Wallet

# An order of 1,000 followers: 1.50 is the cost, 1.875 the price.
COST, PRICE = 1_500_000, 1_875_000


def coupon(code: str = "SPRING", **fields: Any) -> Coupon:
    """A coupon of 10 % without limits, unless told otherwise."""
    if "amount_micros" not in fields:
        fields = {"percent": Decimal(10), **fields}
    return Coupon.objects.create(code=code, **{"per_customer": 0, **fields})


def balance(user: User) -> int:
    return Wallet.objects.get(user=user).balance_micros
