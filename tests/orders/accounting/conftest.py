"""A shop whose clock is not UTC."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture
def shop_in_berlin(settings: Any) -> Iterator[None]:
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    yield
    settings.TIME_ZONE = "UTC"
    timezone.get_default_timezone.cache_clear()
