"""The admin pages of orders, by subject."""

from orders.admin import costs, orders, requests, supplier, words

__all__ = ["costs", "orders", "requests", "supplier", "words"]
