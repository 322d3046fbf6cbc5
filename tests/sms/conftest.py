"""A project to buy numbers of, known to the shop and to the sandbox."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import Order
from sms.models import Country, Project
from sms.operations import buy_numbers
from tests.clock import stopped_at


@pytest.fixture
def project(sandbox: Any, client_upstream: Any, db: None) -> Project:
    """The document's own example: OpenAI / ChatGPT in the United States at 0.5000."""
    row = next(row for row in client_upstream.sms_projects(country="us") if row.name == "OpenAI / ChatGPT")
    country = Country.objects.create(code=row.country_id, name="United States")
    return Project.objects.create(
        upstream_id=row.project_id,
        country=country,
        name=row.name,
        search_text="openai / chatgpt united states",
        price_upstream_micros=500_000,
    )


@pytest.fixture
def buy(ann: Any, project: Project) -> Any:
    """Buy numbers for Ann: `buy(quantity=…)`."""

    def buy_some(**asked: Any) -> list[Order]:
        return buy_numbers(**{"user": ann, "project": project, "request_id": str(uuid.uuid4()), **asked})

    return buy_some


@pytest.fixture
def waiting_number(buy: Any, client_upstream: Any) -> Order:
    """A number that upstream has given and that waits for its code."""
    [order] = buy()
    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    return order


@pytest.fixture
def poll(client_upstream: Any) -> Callable[..., int]:
    """Ask upstream about every number that is due, by a clock that is so much ahead."""

    def poll_all(**later: float) -> int:
        now = timezone.now() + timedelta(**later)
        return poll_due(kind="number", client=client_upstream, clock=stopped_at(now))

    return poll_all
