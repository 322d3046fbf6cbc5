"""What things cost: upstream rate, markup, rounding, discount, floor. Pages, API, checkout and sync all ask here."""

from catalog.pricing.book import PriceBook, cost_micros, discount_of, markup_price, open_book, price_book
from catalog.pricing.exchange_rates import currencies_differ, exchange_rate_micros, rate_now
from catalog.pricing.formula import Formula, Markup, make_formula, price_for, selling_rate
from catalog.pricing.version import next_price_change, price_version

__all__ = [
    "Formula",
    "Markup",
    "PriceBook",
    "cost_micros",
    "currencies_differ",
    "discount_of",
    "exchange_rate_micros",
    "make_formula",
    "markup_price",
    "next_price_change",
    "open_book",
    "price_book",
    "price_for",
    "price_version",
    "rate_now",
    "selling_rate",
]
