"""The admin pages of orders, by subject."""

from orders.admin import orders, supplier, words

__all__ = ["orders", "supplier", "words"]
