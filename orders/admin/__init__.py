"""The admin pages of orders, by subject."""

from orders.admin import aftercare, books, costs, orders, pending, requests, selling, supplier, words

__all__ = ["aftercare", "books", "costs", "orders", "pending", "requests", "selling", "supplier", "words"]
