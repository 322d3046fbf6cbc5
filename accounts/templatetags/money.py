"""Money on pages: `{{ order.price_micros|money }}` → `$12.34` in English, `12,34 $` in Russian."""

from decimal import Decimal
from functools import lru_cache

from babel.core import Locale
from babel.numbers import format_currency
from django import template
from django.conf import settings
from django.utils.translation import get_language

from upstream.money import decimal_from_micros

register = template.Library()


@register.filter
def money(micros: int, currency: str = "") -> str:
    """Return micros as an amount of the shop's currency in the reader's language: two decimals, or more if needed."""
    return _written(int(micros), currency or settings.STORE_CURRENCY, get_language() or "en")


@register.filter
def decimals(micros: int) -> int:
    """Return how many decimals `money` writes, 2 to 6: amounts below each other are aligned at the point by it."""
    return _decimals(decimal_from_micros(int(micros)))


def _decimals(amount: Decimal) -> int:
    return max(2, -int(amount.normalize().as_tuple().exponent))


@lru_cache(maxsize=20_000)  # a list has fifty prices, and each takes a tenth of a millisecond to write
def _written(micros: int, currency: str, language: str) -> str:
    amount = decimal_from_micros(micros)
    locale = Locale.parse(language.replace("-", "_"))
    pattern = locale.currency_formats["standard"].pattern.split(";")[0].replace("0.00", "0." + "0" * _decimals(amount))
    return format_currency(amount, currency, format=pattern, locale=locale, currency_digits=False)
