"""What a test process knows of announcements and incidents: none as a test begins, or what the database has now."""

from django.core.cache import cache

from support.shown_now import KEY, Telling, forget


def nothing_told() -> None:
    """Say that there are none, as it is when a test begins: else the first page of each would ask the database."""
    forget()
    cache.set(KEY, Telling(), timeout=None)


def told_anew() -> None:
    """Let the next page ask the database, as it does once a change is committed."""
    forget()
    cache.delete(KEY)
