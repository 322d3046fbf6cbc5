"""The admin pages of orders, by subject."""

from orders.admin import (
    attention,
    books,
    claims,
    costs,
    customer,
    goods,
    mappings,
    orders,
    pending,
    rate_units,
    records,
    requests,
    restores,
    selling,
    supplier,
)

__all__ = [
    "attention",
    "books",
    "claims",
    "costs",
    "customer",
    "goods",
    "mappings",
    "orders",
    "pending",
    "rate_units",
    "records",
    "requests",
    "restores",
    "selling",
    "supplier",
]
