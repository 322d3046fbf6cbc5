"""What a test process knows of the preferences before anything has been changed."""

from typing import Any

from django.core.cache import cache
from django.utils import timezone

from preferences.change import change_preferences
from preferences.registry import Preference
from preferences.stored import NOTHING, VERSION_KEY, forget


def no_preferences() -> None:
    """Say that nothing is stored, as it is when a test begins: else the first page of each would ask the database."""
    forget()
    cache.set(VERSION_KEY, NOTHING, timeout=None)


def prefer(preference: Preference[Any], value: Any) -> None:
    """Let a preference have this value from now on, as if the owner had saved it."""
    change_preferences({preference: value}, actor_id=None, actor="owner@example.com", now=timezone.now())
    forget()
