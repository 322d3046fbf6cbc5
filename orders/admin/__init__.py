"""The admin pages of orders, by subject."""

from orders.admin import (
    attention,
    books,
    costs,
    mappings,
    orders,
    pending,
    records,
    requests,
    selling,
    supplier,
)

__all__ = ["attention", "books", "costs", "mappings", "orders", "pending", "records", "requests", "selling", "supplier"]
