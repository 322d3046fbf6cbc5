"""A customer whose server is told of changes: fixtures for the tests of webhooks."""

import uuid
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from api.models import Webhook
from api.webhooks.operations import add_webhook, secret_of
from catalog.models import Service
from orders.fulfilment.forward import forward_order
from orders.models import Order
from orders.placing.place import place_order
from sms.models import Country, Project, Site
from sms.operations import buy_numbers
from tests.api.webhooks.receiver import Receiver


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """The customer's server, on this machine: the shop is allowed to reach it."""
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver() as one:
        yield one


@pytest.fixture
def hook(ann: User, receiver: Receiver) -> Webhook:
    """Ann's webhook."""
    return add_webhook(user=ann, url=receiver.url, name="shop")[0]


@pytest.fixture
def secret(hook: Webhook) -> str:
    return secret_of(hook)


@pytest.fixture
def place(ann: User, service: Service) -> Callable[..., Order]:
    """Place an order of Ann's."""

    def place_one(**asked: Any) -> Order:
        values = {"user": ann, "quantity": 1000, "link": "https://instagram.com/ann", "request_id": str(uuid.uuid4())}
        shown = Service.objects.select_related("category").get(pk=service.pk)
        return place_order(**{**values, "service": shown, "now": timezone.now(), **asked})

    return place_one


@pytest.fixture
def sent(place: Callable[..., Order], client_upstream: Any) -> Order:
    """An order of Ann's that upstream has."""
    order = place()
    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
    return Order.objects.get(pk=order.pk)


@pytest.fixture
def number(ann: User, client_upstream: Any) -> Order:
    """A number of Ann's that waits for its code."""
    row = client_upstream.sms_projects(country="us")[0]
    country = Country.objects.create(code="us", name="United States")
    site, _new = Site.objects.get_or_create(name=row.name)
    project = Project.objects.create(
        upstream_id=row.project_id, country=country, site=site, name=row.name, price_upstream_micros=500_000
    )
    [order] = buy_numbers(user=ann, project=project, quantity=1, request_id="n")
    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
    return Order.objects.get(pk=order.pk)
