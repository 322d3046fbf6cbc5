"""What a test process knows of the preferences before anything has been changed."""

from django.core.cache import cache

from preferences.stored import NOTHING, VERSION_KEY, forget


def no_preferences() -> None:
    """Say that nothing is stored, as it is when a test begins: else the first page of each would ask the database."""
    forget()
    cache.set(VERSION_KEY, NOTHING, timeout=None)
