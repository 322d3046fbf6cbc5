"""What a test process knows of the deny lists, and putting something on them as staff does."""

from django.core.cache import cache

from accounts.deny_list.known import NOTHING, VERSION_KEY, forget, rules_changed
from accounts.deny_list.values import written
from accounts.models import DenyRule


def nobody_denied() -> None:
    """Say that the lists are empty, as they are when a test begins: else the first order would ask the database."""
    forget()
    cache.set(VERSION_KEY, NOTHING, timeout=None)


def deny(kind: str, value: str) -> DenyRule:
    """Put something on a list."""
    rule = DenyRule.objects.create(kind=kind, value=written(kind, value), note="test")
    rules_changed()
    return rule
