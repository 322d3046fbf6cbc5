"""What a coupon takes off a price. Pure: no database, whole numbers only."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from orders.models import Coupon
from upstream.money import CENTICENT_MICROS, round_refund


@dataclass(frozen=True)
class Discount:
    """So much off a price. `full_discount_micros` is what the coupon would take off if no price had a floor."""

    code: str
    price_micros: int
    discount_micros: int
    full_discount_micros: int

    @property
    def net_micros(self) -> int:
        """What the customer pays."""
        return self.price_micros - self.discount_micros

    @property
    def is_cut(self) -> bool:
        return self.discount_micros < self.full_discount_micros

    @property
    def words(self) -> str:
        """What the page says beside the discount where the floor cut it, else nothing."""
        if not self.is_cut:
            return ""
        amount = money(self.discount_micros)
        return _("The coupon takes off %(amount)s here: the price can't go any lower.") % {"amount": amount}


def discount_of(coupon: Coupon, *, price_micros: int, floor_micros: int) -> Discount:
    """Return what the coupon takes off `price_micros`, rounded down to 0.0001; what is left is never below the floor.

    The discount is 0 where the price is at its floor already, or below it, as a promised one may be. An order is never
    free: 0.0001 are left where cost and floor are nothing.
    """
    hundredths = int(coupon.percent * 100)
    full_discount_micros = min(price_micros, coupon.amount_micros or price_micros * hundredths // 10_000)
    room_micros = price_micros - max(floor_micros, CENTICENT_MICROS)
    return Discount(
        code=coupon.code,
        price_micros=price_micros,
        discount_micros=max(0, round_refund(min(full_discount_micros, room_micros))),
        full_discount_micros=round_refund(full_discount_micros),
    )
