"""One shop as the upstream of another: our own client, over real HTTP, understands every answer we give."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Service
from orders.fulfilment.refusals import meaning_of
from orders.models import Order
from sms.models import Country, Project
from tests.api.conftest import Call
from tests.storefront.admin_rows import make_quality
from upstream.client import Client
from upstream.errors import InsufficientUpstreamBalance, InvalidApiKey, OrderNotFound, ServiceNotFound

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reseller(live_server: LiveServer, ann: User, key: str) -> Iterator[Client]:
    """Another shop's client, with Ann's key."""
    client = Client(f"{live_server.url}/api/v2", key, 30)
    yield client
    client.close()


def test_chain_when_another_shop_reads_our_catalog_then_it_sees_our_prices(reseller: Client, service: Service) -> None:
    [category] = reseller.categories()
    page = reseller.services(category="Instagram", subcategory="Followers")

    assert (category.category, category.subcategories) == ("Instagram", ["Followers"])
    assert page.set_aside == []
    [row] = page.services
    assert (row.service, row.rate, row.min, row.max, row.stock) == (service.pk, Decimal("1.875"), 10, 10_000, 10_000)
    assert reseller.inventory(service_id=service.pk).available


def test_chain_when_a_service_is_measured_then_another_shop_reads_it_as_before(
    reseller: Client, service: Service
) -> None:
    before = reseller.services().services
    make_quality(service)

    page = reseller.services()

    assert (page.services, page.set_aside) == (before, [])


def test_chain_when_another_shop_orders_then_it_can_follow_its_order(reseller: Client, service: Service) -> None:
    placed = reseller.add(service_id=service.pk, link="https://instagram.com/x", quantity=1000)

    assert placed.order_id == str(Order.objects.get().pk)
    answer = reseller.status(order_id=placed.order_id)
    assert (answer.status, answer.charge, answer.remains) == ("Pending", Decimal("1.875"), 1000)
    assert reseller.balance().balance == Decimal("98.125")


def test_chain_when_we_refuse_then_the_other_shop_knows_why(
    reseller: Client, service: Service, live_server: LiveServer
) -> None:
    with pytest.raises(OrderNotFound):
        reseller.status(order_id="999999")
    with pytest.raises(ServiceNotFound):
        reseller.add(service_id=999_999, link="https://instagram.com/x", quantity=1000)
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=500_000_000)
    with pytest.raises(InsufficientUpstreamBalance):
        reseller.add(service_id=service.pk, link="https://instagram.com/x", quantity=1000)
    stranger = Client(f"{live_server.url}/api/v2", "not-a-key", 30)
    with pytest.raises(InvalidApiKey):
        stranger.balance()
    stranger.close()


def test_chain_when_another_shop_buys_a_number_then_it_gets_one(
    reseller: Client, client_upstream: Client, sandbox: Any
) -> None:
    row = client_upstream.sms_projects(country="us")[0]
    country = Country.objects.create(code="us", name="United States")
    Project.objects.create(upstream_id=row.project_id, country=country, name=row.name, price_upstream_micros=500_000)

    assert [country.country_code for country in reseller.sms_countries()] == ["us"]
    [project] = reseller.sms_projects()
    [number] = reseller.add_sms(project_id=project.project_id, country="us")

    assert number.phone == sandbox.orders[0]["phone"]
    assert reseller.sms_code(order_id=number.order_id).status == "waiting"
    status = reseller.sms_status(order_id=number.order_id)
    assert (status.phone, status.charge) == (number.phone, project.price)
    assert status.expires_at is not None


def test_chain_when_every_refusal_of_ours_arrives_then_none_leaves_an_order_in_doubt(
    call: Call, service: Service
) -> None:
    asked = {"service": service.pk, "link": "https://instagram.com/x", "quantity": "1000"}
    for changed in [{"link": ""}, {"link": "x"}, {"quantity": "1"}, {"quantity": "99999"}, {"service": "0"}]:
        text = call("add", **{**asked, **changed})["error"]
        assert meaning_of(text, 200) is not None, text
