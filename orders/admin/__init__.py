"""The admin pages of orders, by subject."""

from orders.admin import (
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

__all__ = ["books", "costs", "mappings", "orders", "pending", "records", "requests", "selling", "supplier"]
