"""Titles of services, split into a short name and facts."""
