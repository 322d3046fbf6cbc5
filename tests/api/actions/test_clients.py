"""Three public clients of this trade's API, as their authors published them, against a running shop.

smmpy and safesmm take services as they come; babismm and smmpy promise a list of them, which is what the key's switch
is for.
"""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer
from safesmm import SafeSMM, SafeSMMError
from smm import SMM, SMMAPIError, SMMNetworkError
from smmpy import smm

from accounts.keys.api_keys import change_api_key, create_api_key
from accounts.models import ApiKey, User
from catalog.models import Service
from orders.models import Order, ServiceRequest, Status
from tests.api import world
from wallet.models import Wallet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]
LINK = "https://instagram.com/username"
Make = Callable[..., Any]


@pytest.fixture
def shop(ann: User, settings: Any) -> None:
    """The document's shop; nobody sends orders on."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    world.build_world(ann)


@pytest.fixture
def address(live_server: LiveServer) -> str:
    """The endpoint, as a reseller enters it."""
    return f"{live_server.url}/api/v2"


@pytest.fixture
def key_for_lists(ann: User) -> str:
    """A key with the switch that these clients need: services as a bare array."""
    return create_api_key(user=ann, name="old program", bare_services=True)[1]


def in_full(order: int) -> dict[str, Any]:
    """What `status` says of one of the document's orders."""
    order_row = Order.objects.get(pk=order)
    words = {Status.IN_PROGRESS: "In progress", Status.COMPLETED: "Completed"}
    return {
        "status": words[Status(order_row.status)],
        "charge": "5.00",
        "start_count": 1000,
        "remains": order_row.remains,
        "currency": "USD",
    }


def test_babismm_when_it_buys_and_follows_an_order_then_it_understands_every_answer(
    address: str, key_for_lists: str
) -> None:
    with SMM(address, key_for_lists) as client:
        assert client.get_balance() == {"balance": "100.00", "currency": "USD"}
        services = client.get_services()
        assert len(services) == Service.objects.on_sale().count()
        placed = client.add_order(service=services[0]["service"], link=LINK, quantity=1000, runs=1, interval=30)
        assert client.get_status(placed["order"])["status"] == "Pending"
        assert client.get_multi_status([23501, 23502]) == {"23501": in_full(23501), "23502": in_full(23502)}
        assert client.create_refill(23502) == {"refill": world.REFILL}  # asked for before; it stays the same
        assert client.create_multi_refill([23502, 5]) == [
            {"order": 23502, "refill": world.REFILL},
            {"order": 5, "refill": {"error": "Incorrect order ID"}},
        ]
        assert client.get_refill_status(world.REFILL) == {"status": "Pending"}
        assert client.get_multi_refill_status([world.REFILL]) == [{"refill": world.REFILL, "status": "Pending"}]
        assert client.cancel_orders([placed["order"]]) == [{"order": placed["order"], "cancel": 1}]
        assert client.get_status(placed["order"])["status"] == "Canceled"
        assert client.get_balance() == {"balance": "100.00", "currency": "USD"}


def test_babismm_when_it_is_refused_then_it_raises_our_text(address: str, key_for_lists: str) -> None:
    with SMM(address, key_for_lists) as client, pytest.raises(SMMAPIError, match=r"^Quantity must be between 100 and"):
        client.add_order(service=1, link=LINK, quantity=5)
    with SMM(address, "no key") as client, pytest.raises(SMMAPIError, match=r"^Invalid API key$"):
        client.get_balance()


def test_babismm_when_the_key_wants_4xx_then_it_raises_what_it_makes_of_the_status(
    address: str, key_for_lists: str
) -> None:
    change_api_key(ApiKey.objects.get(bare_services=True).pk, http_errors=True)

    with SMM(address, key_for_lists) as client, pytest.raises(SMMNetworkError, match="404"):
        client.get_status(5)


def test_safesmm_when_it_buys_and_follows_an_order_then_it_understands_every_answer(address: str, key: str) -> None:
    client = SafeSMM(key, api_url=address)

    assert client.balance() == {"balance": "100.00", "currency": "USD"}
    listed = client.services()  # whatever comes: the document's object
    assert (listed["total"], len(listed["services"])) == (150, 150)
    comments = client.add_order(2, LINK, comments="\n".join(f"Nice {number}" for number in range(10)))
    assert Order.objects.get(pk=comments["order"]).quantity == 10
    placed = client.add_order(1, LINK, 1000)
    assert client.status(placed["order"])["charge"] == "0.50"
    several = client.multi_status([placed["order"], 23501])
    assert several["23501"] == in_full(23501)
    assert client.refill(23502) == {"refill": world.REFILL}
    assert client.cancel(placed["order"]) == [{"order": placed["order"], "cancel": 1}]
    with pytest.raises(SafeSMMError, match=r"^Order not found$"):
        client.status(5)
    with pytest.raises(SafeSMMError, match=r"^Invalid API key$"):
        SafeSMM("wrong", api_url=address + "/").balance()


def test_smmpy_when_it_buys_and_follows_an_order_then_it_understands_every_answer(
    address: str, key_for_lists: str, ann: User
) -> None:
    client = smm(address, key_for_lists)

    assert client.get_balance() == {"balance": "100.00", "currency": "USD"}
    assert {row["service"] for row in client.get_services()} >= {1, 2, 23501}
    placed = client.add_order(1, LINK, 1000)
    assert client.get_status(placed["order"])["remains"] == 1000
    assert client.get_multi_status([23501]) == {"23501": in_full(23501)}
    assert client.create_refill(23502) == {"refill": world.REFILL}
    assert client.get_refill_status(world.REFILL) == {"status": "Pending"}
    ServiceRequest.objects.update(state=ServiceRequest.State.DONE)
    assert client.get_multi_refill_status([world.REFILL]) == [{"refill": world.REFILL, "status": "Completed"}]
    assert client.cancel_orders([23501]) == [{"order": 23501, "cancel": {"error": "Order cannot be canceled"}}]
    Wallet.objects.filter(user=ann).update(balance_micros=0)
    with pytest.raises(Exception, match=r"^Insufficient balance$"):
        client.add_order(1, LINK, 1000)
