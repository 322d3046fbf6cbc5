"""A customer without a ledger, and a way to write one."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.conftest import PASSWORD
from wallet.models import LedgerEntry
from wallet.operations import wallet_of


@pytest.fixture
def shop_in_berlin(settings: Any) -> Iterator[None]:
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    yield
    settings.TIME_ZONE = "UTC"
    timezone.get_default_timezone.cache_clear()


@pytest.fixture
def buyer(db: None) -> User:
    """A customer without a ledger."""
    return User.objects.create_user("eve@example.com", PASSWORD)


@pytest.fixture
def book(buyer: User) -> Callable[..., LedgerEntry]:
    """Write a ledger row of a moment: `book(kind, micros, at, reference)`, of Eve's unless `user` says whose."""

    def write(kind: str, micros: int, at: datetime, reference: str = "", user: User = buyer) -> LedgerEntry:
        reference = reference or f"{kind}:{LedgerEntry.objects.count()}"
        return LedgerEntry.objects.create(
            wallet=wallet_of(user), kind=kind, amount_micros=micros, reference=reference, created_at=at
        )

    return write
