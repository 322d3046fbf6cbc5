"""The admin pages of orders, by subject."""

from orders.admin import aftercare, costs, orders, requests, supplier, words

__all__ = ["aftercare", "costs", "orders", "requests", "supplier", "words"]
