"""Orders whose answers were lost."""

from typing import Any

import pytest
from django.db import connection

from orders.models import Order, Status
from tests.sms.conftest import buy, project

__all__ = ["buy", "project"]  # fixtures


@pytest.fixture
def lost(send) -> Order:
    """An order that upstream has, and whose answer was lost; an order before it gives its window a beginning."""
    send(quantity=100)
    order = send(fault="lose_reply")
    assert order.status == Status.UNKNOWN
    return order


@pytest.fixture
def real_id(lost, sandbox) -> str:
    return str(sandbox.orders[-1]["id"])


# On SQLite, which differs in nothing that has to do with it, the one kind in which more can go wrong.
_ANSWERS_NUMBERS = {"apart": False, "shared": True} if connection.vendor == "postgresql" else {"shared": True}


@pytest.fixture(autouse=True, params=_ANSWERS_NUMBERS.values(), ids=_ANSWERS_NUMBERS)
def _status_of_numbers(request: pytest.FixtureRequest, sandbox: Any) -> None:
    """Both kinds of suppliers: whose `status` knows services alone, and where it answers for numbers as well."""
    sandbox.set(status_answers_numbers=request.param)
