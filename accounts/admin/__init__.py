"""Customers, groups and API keys as staff sees them."""

from accounts.admin import customer, customers, deny_lists, keys, trail  # noqa: F401 - registers them
