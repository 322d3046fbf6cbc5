"""Orders in the states that tests begin with."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.fulfilment.forward import forward_order
from orders.models import Order
from orders.placing.place import place_order


@pytest.fixture
def place(ann: User, service: Service) -> Callable[..., Order]:
    """Place an order of Ann's: `place(quantity=…, link=…, …)`; 1,000 followers for 1.875 unless told otherwise."""

    def place_one(**asked: Any) -> Order:
        shown = asked.pop("service", service)
        values = {
            "user": ann,
            "service": Service.objects.select_related("category").get(pk=shown.pk),  # as pages and API read it
            "quantity": 1000,
            "link": "https://instagram.com/ann",
            "request_id": str(uuid.uuid4()),
        }
        return place_order(**{**values, "now": timezone.now(), **asked})

    return place_one


@pytest.fixture
def paid_order(place: Callable[..., Order]) -> Order:
    """An order that is paid and has not been sent."""
    return place()


@pytest.fixture
def sent_order(paid_order: Order, client_upstream: Any) -> Order:
    """An order that upstream has accepted."""
    assert forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    paid_order.refresh_from_db()
    return paid_order


@pytest.fixture
def shop(client: Client, ann: User) -> Client:
    """The browser of Ann, who is signed in."""
    client.force_login(ann)
    return client
