"""The client against the sandbox: all eleven actions, and each fault as a caller meets it."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from upstream.client import Client
from upstream.errors import (
    InsufficientUpstreamBalance,
    InvalidApiKey,
    NotPlaced,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    ServiceNotFound,
    Throttled,
    Unavailable,
    UpstreamError,
)
from upstream.sandbox.process import Sandbox

LINK = "https://instagram.com/username"
FOLLOWERS, COMMENTS = 1, 2


def buy(client: Client) -> str:
    return client.add(service_id=FOLLOWERS, link=LINK, quantity=1000).order_id


def received(sandbox: Sandbox, action: str) -> int:
    return len([request for request in sandbox.requests if request["action"] == action])


def test_catalog_when_walked_holds_the_same_services_whole_in_pages_and_by_subcategory(client_upstream: Client) -> None:
    whole = client_upstream.services()
    pages = [client_upstream.services(page=number, limit=25) for number in (1, 2, 3)]
    by_subcategory = [
        service.service
        for category in client_upstream.categories()
        for name in category.subcategories
        for service in client_upstream.services(category=category.category, subcategory=name).services
    ]

    ids = sorted(service.service for service in whole.services)
    assert (len(ids), whole.total, whole.set_aside) == (60, 60, [])
    assert sorted(service.service for page in pages for service in page.services) == ids
    assert [(page.page, page.limit, page.total, page.total_pages) for page in pages] == [
        (number, 25, 60, 3) for number in (1, 2, 3)
    ]
    assert sorted(by_subcategory) == ids


def test_order_when_followed_is_placed_charged_and_read(sandbox: Sandbox, client_upstream: Client) -> None:
    service = client_upstream.services().services[0]
    stock = client_upstream.inventory(service_id=service.service)

    order_id = client_upstream.add(service_id=service.service, link=LINK, quantity=1000).order_id
    sandbox.set_order(order_id, status="Partial", remains=400, start_count=7, accounts=["a:b"])
    status = client_upstream.status(order_id=order_id)

    assert (stock.service, stock.stock, stock.available) == (service.service, service.stock, True)
    assert (status.status, status.remains, status.start_count) == ("Partial", 400, 7)
    assert (status.accounts, status.currency) == (["a:b"], "USD")
    (placed,) = sandbox.orders
    assert (str(placed["id"]), placed["link"], placed["quantity"]) == (order_id, LINK, 1000)
    balance = client_upstream.balance()
    assert (balance.balance, balance.currency) == (Decimal("1000") - (status.charge or 0), "USD")


def test_order_when_it_needs_comments_sends_them(sandbox: Sandbox, client_upstream: Client) -> None:
    lines = "\n".join(f"Comment {number} & more" for number in range(10))

    client_upstream.add(service_id=COMMENTS, link=LINK, quantity=10, comments=lines)

    assert sandbox.orders[0]["comments"] == lines


def test_number_when_followed_gets_its_code(sandbox: Sandbox, client_upstream: Client) -> None:
    countries = client_upstream.sms_countries()
    projects = client_upstream.sms_projects(country=countries[0].country_code)
    (number,) = client_upstream.add_sms(project_id=projects[0].project_id, country=countries[0].country_code)

    waiting = client_upstream.sms_code(order_id=number.order_id)
    sandbox.deliver_code(number.order_id, "012345", "Your code is 012345")
    come = client_upstream.sms_code(order_id=number.order_id)
    status = client_upstream.sms_status(order_id=number.order_id)

    assert {project.country_id for project in projects} == {countries[0].country_code}
    assert len(projects) < len(client_upstream.sms_projects())
    assert (number.status, number.country) == ("active", countries[0].country_code)
    assert (waiting.status, waiting.code) == ("waiting", "")
    assert waiting.message
    assert (come.status, come.code, come.sms_content) == ("completed", "012345", "Your code is 012345")
    assert (status.status, status.code, status.phone) == ("code_received", "012345", number.phone)
    assert (status.charge, status.currency) == (projects[0].price, "USD")
    assert status.expires_at is not None
    assert status.expires_at > datetime.now(UTC)


@pytest.mark.parametrize(
    ("fault", "options", "error", "placed"),
    [
        ("lose_reply", {}, OutcomeUnknown, 1),
        ("lose_reply", {"reset": True}, OutcomeUnknown, 1),
        ("lose_request", {}, OutcomeUnknown, 0),
        ("500_before", {}, OutcomeUnknown, 0),
        ("500_after", {}, OutcomeUnknown, 1),
        ("500_before", {"text": "Service not found"}, OutcomeUnknown, 0),
        ("garbage", {}, OutcomeUnknown, 1),
        ("half_body", {}, OutcomeUnknown, 1),
        ("slow", {"seconds": 2}, OutcomeUnknown, 1),
        ("429", {}, Throttled, 0),
        ("refuse", {"text": "Service not found"}, ServiceNotFound, 0),
        ("refuse", {"text": "Insufficient balance", "status": 402}, InsufficientUpstreamBalance, 0),
        ("refuse", {"text": "Link is wrong"}, Refused, 0),
        ("refuse", {"text": "Insufficient balance", "status": 503}, OutcomeUnknown, 0),
    ],
)
def test_add_when_a_fault_hits_raises_its_class_and_is_sent_once(
    sandbox: Sandbox, fault: str, options: dict[str, Any], error: type[UpstreamError], placed: int
) -> None:
    client = sandbox.client(timeout_seconds=1)
    buy(client)  # so that the fault also meets a connection that is kept open
    sandbox.fail_next(fault, action="add", **options)

    with pytest.raises(UpstreamError) as caught:
        buy(client)

    assert type(caught.value) is error
    until = time.monotonic() + 5  # the slow one is placed after we have given up
    while len(sandbox.orders) < 1 + placed and time.monotonic() < until:
        time.sleep(0.1)
    assert received(sandbox, "add") == 2
    assert len(sandbox.orders) == 1 + placed


def test_add_when_connections_are_refused_is_not_placed(sandbox: Sandbox, client_upstream: Client) -> None:
    sandbox.fail_next("refuse_connections")

    with pytest.raises(NotPlaced):
        buy(client_upstream)

    sandbox.clear_faults()
    assert buy(client_upstream) == str(sandbox.orders[0]["id"])


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "500_before", "garbage", "half_body"])
def test_balance_when_a_fault_hits_twice_is_read_all_the_same(
    sandbox: Sandbox, client_upstream: Client, fault: str
) -> None:
    sandbox.fail_next(fault, action="balance", times=2)

    assert client_upstream.balance().balance == Decimal("1000.00")
    assert received(sandbox, "balance") == 3


def test_balance_when_connections_are_refused_is_unavailable(sandbox: Sandbox, client_upstream: Client) -> None:
    sandbox.fail_next("refuse_connections")

    with pytest.raises(Unavailable):
        client_upstream.balance()


def test_calls_when_refused_by_the_sandbox_itself_raise_the_documented_classes(sandbox: Sandbox) -> None:
    client = sandbox.client()

    with pytest.raises(InvalidApiKey):
        sandbox.client(key="not-the-key").balance()
    with pytest.raises(OrderNotFound):
        client.status(order_id="999999999")
    with pytest.raises(ServiceNotFound):
        client.inventory(service_id=999_999_999)
    sandbox.set_balance("0.00")
    with pytest.raises(InsufficientUpstreamBalance):
        buy(client)
