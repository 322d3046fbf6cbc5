"""Money as integer micros: 10⁻⁶ of a currency unit. `Decimal` only where text comes in or goes out; never a float."""

from decimal import ROUND_CEILING, Decimal

MICROS = 1_000_000
CENT = 10_000  # in micros
CENTICENT_MICROS = 100  # 0.0001: what charges are rounded up to and refunds down to


def micros_from_decimal(amount: Decimal) -> int:
    """Return `amount` in micros; what is finer than a micro is rounded up, so that a cost is never understated.

    Raises ValueError for NaN and infinities.
    """
    if not amount.is_finite():
        raise ValueError(f"not an amount of money: {amount}")
    return int((amount * MICROS).to_integral_value(rounding=ROUND_CEILING))


def rounding_micros(amount: Decimal) -> int:
    """Return by how much the true amount may differ from one that was rounded to the decimals of `amount`'s text.

    "0.02" stands for 0.015 to 0.025, "0.0150" is within 0.00005. Fewer decimals than two are a number's zeros that its
    writer dropped, not a rounding.
    """
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"not an amount of money: {amount}")
    decimals = min(max(-exponent, 2), 7)  # beyond micros there is nothing left to round
    return MICROS // (2 * int(10**decimals))


def decimal_from_micros(micros: int) -> Decimal:
    """Return micros as an exact `Decimal` of currency units, six decimals."""
    return Decimal(micros).scaleb(-6)


def round_charge(micros: int, per: int = 1) -> int:
    """Return `micros / per` rounded up to 0.0001 of the currency: what a customer is charged."""
    return -(-micros // (per * CENTICENT_MICROS)) * CENTICENT_MICROS


def round_refund(micros: int, per: int = 1) -> int:
    """Return `micros / per` rounded down to 0.0001 of the currency: what a customer is given back."""
    return micros // (per * CENTICENT_MICROS) * CENTICENT_MICROS


def text_from_micros(micros: int, min_decimals: int = 2) -> str:
    """Return plain text like `12.34` or `0.0525`: at least `min_decimals` digits, more only where they matter."""
    whole, fraction = f"{decimal_from_micros(micros):.6f}".split(".")
    return f"{whole}.{fraction.rstrip('0').ljust(min_decimals, '0')}"


def nearest_cent(micros: int) -> int:
    """Return an amount to the cent, in micros: what pages show that sum up; half a cent is rounded away from zero."""
    cents = (abs(micros) + CENT // 2) // CENT * CENT
    return -cents if micros < 0 else cents
