"""The admin pages of orders, by subject."""

from orders.admin import orders, requests, supplier, words

__all__ = ["orders", "requests", "supplier", "words"]
