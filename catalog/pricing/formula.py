"""The arithmetic of a selling rate. Pure: no database, whole numbers only."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

from catalog.models import Rounding
from upstream.money import MICROS, round_charge

# A rounded rate is `offset` plus a whole number of steps, both in micros.
STEP_AND_OFFSET_MICROS: dict[str, tuple[int, int]] = {
    "": (0, 0),
    Rounding.CENT: (10_000, 0),
    Rounding.FIVE_CENTS: (50_000, 0),
    Rounding.TEN_CENTS: (100_000, 0),
    Rounding.HALF: (500_000, 0),
    Rounding.WHOLE: (1_000_000, 0),
    Rounding.NINETY_NINE: (1_000_000, 990_000),
}


@dataclass(frozen=True, slots=True)
class Markup:
    """What is done to an upstream rate: a share, and a fixed amount for as many pieces as the rate buys.

    `floor_percent` is the margin no price falls below; None takes the shop's. `rule_id` None is the shop's default.
    """

    percent: Decimal
    fixed_micros: int = 0
    floor_percent: Decimal | None = None
    rounding: str = ""
    rule_id: int | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """A markup made ready for one customer: from an upstream rate to a selling rate in a few integer operations.

    All but the discount is over the common denominator `per`; `remaining / whole` is what a discount leaves.
    """

    per: int
    cost: int
    marked: int
    fixed: int
    floor: int
    step: int
    offset: int
    remaining: int
    whole: int

    def rate_micros(self, rate_upstream_micros: int, rate_override_micros: int | None = None) -> int:
        """Return the selling rate in store micros, rounded up, for as many pieces as the upstream rate buys.

        The markup is lifted to the floor and rounded up to its step, then the discount is taken, down to the floor.
        An own price stands for the markup and is not rounded. Raises ValueError for a negative rate.
        """
        if rate_upstream_micros < 0:
            raise ValueError("a rate that would sell below cost")
        floor = rate_upstream_micros * self.floor
        if rate_override_micros is None:
            listed = self._rounded(max(rate_upstream_micros * self.marked + self.fixed, floor))
        else:
            listed = rate_override_micros * self.per
        return -(-max(listed * self.remaining, floor * self.whole) // (self.per * self.whole))

    def cost_micros(self, rate_upstream_micros: int) -> int:
        """Return what the rate costs the shop, in store micros rounded up."""
        return -(-rate_upstream_micros * self.cost // self.per)

    def floor_micros(self, rate_upstream_micros: int) -> int:
        """Return the floor itself, in store micros rounded up: the cost and the margin that no price falls below."""
        return -(-rate_upstream_micros * self.floor // self.per)

    def loses(self, rate_upstream_micros: int) -> bool:
        """Return whether markup and rounding alone, without the floor, would sell below cost."""
        return self._rounded(rate_upstream_micros * self.marked + self.fixed) < rate_upstream_micros * self.cost

    def is_lifted(self, rate_upstream_micros: int, rate_override_micros: int | None = None) -> bool:
        """Return whether the floor is charged because the markup, or the own price, lies below it."""
        if rate_override_micros is None:
            listed = self._rounded(rate_upstream_micros * self.marked + self.fixed)
        else:
            listed = rate_override_micros * self.per
        return listed < rate_upstream_micros * self.floor

    def unprotected_micros(self, rate_upstream_micros: int) -> int:
        """Return what markup and rounding alone come to, without the floor; below zero where a fixed part is."""
        return -(-self._rounded(rate_upstream_micros * self.marked + self.fixed) // self.per)

    def _rounded(self, listed: int) -> int:
        if not self.step:
            return listed
        return self.offset - (self.offset - listed) // self.step * self.step


@lru_cache(maxsize=4096)
def make_formula(
    markup: Markup, *, exchange_rate_micros: int, discount_percent: Decimal, floor_percent: Decimal
) -> Formula:
    """Return the formula of a markup; `floor_percent` is the shop's, for a markup without one of its own.

    `exchange_rate_micros` is what one unit of upstream's currency costs in ours, in micros.
    Raises ValueError for a negative floor, an exchange rate of zero or less, a discount not in 0..100.
    """
    minimum_percent = floor_percent if markup.floor_percent is None else markup.floor_percent
    if exchange_rate_micros <= 0 or minimum_percent < 0:
        raise ValueError("an exchange rate or a floor that would sell below cost")
    if not 0 <= discount_percent <= 100:
        raise ValueError(f"a discount of {discount_percent} %")
    cost = Fraction(exchange_rate_micros, MICROS)
    marked = cost * (1 + Fraction(markup.percent) / 100)
    floor = cost * (1 + Fraction(minimum_percent) / 100)
    remaining = 1 - Fraction(discount_percent) / 100
    per = lcm(cost.denominator, marked.denominator, floor.denominator)
    step, offset = STEP_AND_OFFSET_MICROS[markup.rounding]
    return Formula(
        per=per,
        cost=int(cost * per),
        marked=int(marked * per),
        fixed=markup.fixed_micros * per,
        floor=int(floor * per),
        step=step * per,
        offset=offset * per,
        remaining=remaining.numerator,
        whole=remaining.denominator,
    )


def selling_rate(
    rate_upstream_micros: int,
    *,
    exchange_rate_micros: int,
    markup_percent: Decimal,
    fixed_micros: int,
    discount_percent: Decimal,
    floor_percent: Decimal,
    rounding: str = "",
    rate_override_micros: int | None = None,
) -> int:
    """Return the rate a customer pays, in store micros rounded up, for as many pieces as the rate buys.

    See `make_formula` and `Formula.rate_micros`, which say what is done in which order and what raises ValueError.
    """
    formula = make_formula(
        Markup(markup_percent, fixed_micros, rounding=rounding),
        exchange_rate_micros=exchange_rate_micros,
        discount_percent=discount_percent,
        floor_percent=floor_percent,
    )
    return formula.rate_micros(rate_upstream_micros, rate_override_micros)


def price_for(rate_micros: int, quantity: int, rate_per: int) -> int:
    """Return the price of `quantity` pieces in micros, rounded up to 0.0001.

    `rate_micros` buys `rate_per` pieces. Raises ValueError for a quantity or a unit below one.
    """
    if quantity < 1 or rate_per < 1:
        raise ValueError(f"{quantity} pieces at a rate per {rate_per}")
    return round_charge(rate_micros * quantity, rate_per)
