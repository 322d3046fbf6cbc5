"""Customers, their groups and API keys."""
