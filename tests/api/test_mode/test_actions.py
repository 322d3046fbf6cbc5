"""Test keys: the whole API with test money, ended as the link says, and nothing real is ever touched."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKeySpending, User
from api.models import SimulatedOrder, SimulatedWallet, WebhookDelivery
from api.registry import ACTIONS
from api.test_mode import operations
from api.test_mode.operations import clean_simulated_orders
from api.webhooks.operations import add_webhook
from catalog.models import Delivery, Service
from orders.models import Checkout, Order, ServiceRequest
from sms.models import Country, Number, Project
from tests.api.conftest import Call
from tests.storefront.admin_rows import make_order
from upstream.sandbox.process import Sandbox
from wallet.models import LedgerEntry, Wallet

pytestmark = pytest.mark.django_db
LINK = "https://instagram.com/ann"
Wait = Callable[[float], None]


@pytest.fixture
def key(ann: User) -> str:
    return create_api_key(user=ann, name="try", is_test=True)[1]


@pytest.fixture
def wait() -> Wait:
    """Let so many seconds pass for the simulated orders there are."""

    def later(seconds: float) -> None:
        for order in SimulatedOrder.objects.all():
            SimulatedOrder.objects.filter(pk=order.pk).update(created_at=order.created_at - timedelta(seconds=seconds))

    return later


@pytest.fixture
def project(db: None) -> Project:
    country = Country.objects.create(code="us", name="United States")
    return Project.objects.create(upstream_id="p", country=country, name="Telegram", price_upstream_micros=400_000)


def add(call: Call, service: Service, link: str = LINK, **asked: Any) -> Any:
    return call("add", **{"service": service.pk, "link": link, "quantity": 1000, **asked})


def test_test_mode_when_every_action_is_called_then_nothing_real_is_touched(
    call: Call, service: Service, project: Project, ann: User, sandbox: Sandbox
) -> None:
    Service.objects.update(stock=5000, refill=True, cancel=True)
    real = make_order(ann, service=service)
    add_webhook(user=ann, url="https://example.com/hooks")
    before = (Wallet.objects.get().balance_micros, LedgerEntry.objects.count(), Checkout.objects.count())
    asked_upstream = len(sandbox.requests)
    order = add(call, service)["order"]
    number = call("add_sms", project_id=project.pk)["orders"][0]["order"]

    for name in ACTIONS:
        if name not in ("add", "add_sms"):
            assert "Internal" not in str(call(name, order=order, service=service.pk))
            call(name, order=number, orders=f"{order},{number}", refills=order)

    assert (Wallet.objects.get().balance_micros, LedgerEntry.objects.count(), Checkout.objects.count()) == before
    assert list(Order.objects.all()) == [real]
    assert Number.objects.count() == 0
    assert len(sandbox.requests) == asked_upstream
    assert not WebhookDelivery.objects.exists()
    assert sandbox.orders == []


@pytest.mark.parametrize("action", ["status", "refill", "cancel", "sms_code", "sms_status", "refill_status"])
def test_test_mode_when_a_real_order_is_asked_for_then_it_is_not_found_and_stays(
    call: Call, service: Service, ann: User, action: str
) -> None:
    Service.objects.update(refill=True, cancel=True)
    real = make_order(ann, service=service)
    kind = ServiceRequest.objects.create(order=real, kind=ServiceRequest.Kind.REFILL)

    answer = call(action, order=real.pk, refill=kind.pk)

    assert "not found" in str(answer) or "Incorrect order ID" in str(answer)
    real.refresh_from_db()
    assert (real.status, ServiceRequest.objects.count()) == (Order().status, 1)


def test_every_action_that_buys_or_knows_orders_is_played_by_test_keys() -> None:
    same_for_all = {action.name for action in ACTIONS.values() if action.in_test_mode is None}
    assert same_for_all == {"categories", "services", "sms_projects", "sms_countries"}


def test_add_when_too_many_simulated_orders_are_under_way_then_no_more_until_one_is_over(
    call: Call, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MAX_UNDER_WAY", 2)
    first = add(call, service, link=LINK + "/stuck", request_id="1")
    second = add(call, service, link=LINK + "/stuck")

    refused = add(call, service)
    assert refused == {"error": "Too many test orders are under way, 2 at most"}
    assert add(call, service, link=LINK + "/stuck", request_id="1") == first
    call("cancel", order=second["order"])
    assert "order" in add(call, service, link=LINK + "/instant")


def test_add_when_simulated_then_it_costs_the_customers_price_in_test_money(call: Call, service: Service) -> None:
    assert call("balance") == {"balance": "1000.00", "currency": "USD"}

    order = add(call, service)["order"]

    assert call("balance")["balance"] == "998.125"
    assert call("status", order=order) == {
        "status": "Pending",
        "charge": "1.875",
        "start_count": 0,
        "remains": 1000,
        "currency": "USD",
    }


@pytest.mark.parametrize(
    ("word", "seconds", "status", "charge", "remains"),
    [
        ("", 9, "Pending", "1.875", 1000),
        ("", 35, "In progress", "1.875", 500),
        ("", 61, "Completed", "1.875", 0),
        ("partial", 61, "Partial", "0.9375", 500),
        ("CANCELED", 61, "Canceled", "0.00", 1000),
        ("cancelled", 61, "Canceled", "0.00", 1000),
        ("failed", 1, "Canceled", "0.00", 1000),
        ("stuck", 3600, "In progress", "1.875", 959),
        ("instant", 0, "Completed", "1.875", 0),
        ("slow", 61, "Pending", "1.875", 1000),
        ("slow-partial", 3601, "Partial", "0.9375", 500),
    ],
)
def test_status_when_time_passes_then_it_goes_as_the_link_says_and_money_comes_back_once(
    call: Call, service: Service, wait: Wait, word: str, seconds: int, status: str, charge: str, remains: int
) -> None:
    order = add(call, service, f"{LINK}/{word}")["order"]
    wait(seconds)

    answer = call("status", order=order)

    assert (answer["status"], answer["charge"]) == (status, charge)
    assert abs(answer["remains"] - remains) <= 21
    for _each in range(2):
        assert float(call("balance")["balance"]) == pytest.approx(1000 - float(charge))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"service": ""}, "Service ID is required"),
        ({"service": "999999"}, "Service not found"),
        ({"link": ""}, "Link is required"),
        ({"link": "x"}, "Invalid link"),
        ({"quantity": "9"}, "Quantity must be between 10 and 10000"),
        ({"quantity": "many"}, "Invalid quantity"),
        ({"link": f"{LINK}/refused"}, "Not enough stock"),
        ({"request_id": "x" * 65}, "request_id is longer than 64 characters"),
    ],
)
def test_add_when_a_value_is_wrong_then_it_is_refused_like_a_real_one(
    call: Call, service: Service, changed: dict, error: str
) -> None:
    asked = {"service": service.pk, "link": LINK, "quantity": 1000, **changed}

    assert call("add", **asked) == {"error": error}
    assert SimulatedOrder.objects.count() == 0


def test_add_when_the_test_money_is_spent_then_the_balance_is_insufficient(call: Call, service: Service) -> None:
    call("balance")
    SimulatedWallet.objects.update(balance_micros=1_874_999)

    assert add(call, service) == {"error": "Insufficient balance"}
    assert SimulatedWallet.objects.get().balance_micros == 1_874_999


def test_add_when_the_key_has_a_daily_limit_then_it_counts_in_test_mode_as_well(service: Service, ann: User) -> None:
    text = create_api_key(user=ann, name="small", is_test=True, daily_limit_micros=2_000_000)[1]
    asked = {"key": text, "action": "add", "service": service.pk, "link": LINK, "quantity": 1000}

    answers = [Client().post("/api/v2", asked).json() for _each in range(2)]

    assert answers[1] == {"error": "Daily spending limit of this key is reached"}
    assert ApiKeySpending.objects.get().spent_micros == 1_875_000


@pytest.mark.django_db(transaction=True)
def test_add_when_a_request_id_is_repeated_all_at_once_then_it_buys_once(
    call: Call, service: Service, settings: Any
) -> None:
    settings.API_CALLS_AT_ONCE = 10

    def send(_number: int) -> Any:
        try:
            return add(call, service, request_id="one")
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(send, range(5)))

    assert answers == [{"order": SimulatedOrder.objects.get().pk}] * 5
    assert add(call, service, request_id="one", quantity=20) == {"error": "request_id was used with other values"}
    assert call("balance")["balance"] == "998.125"


@pytest.mark.parametrize("delivery", [Delivery.EMAIL, Delivery.VAULT])
def test_status_when_goods_are_bought_then_they_are_there_at_the_end(
    call: Call, service: Service, delivery: str
) -> None:
    Service.objects.update(delivery_override=delivery)

    order = add(call, service, "instant@example.com", quantity=10)["order"]

    assert len(call("status", order=order)["accounts"]) == 10


def test_cancel_and_refill_when_simulated_then_they_are_done_at_once(call: Call, service: Service, wait: Wait) -> None:
    Service.objects.update(refill=True)
    order = add(call, service)["order"]
    assert call("cancel", orders=order) == [{"order": order, "cancel": 1}]
    assert call("balance")["balance"] == "1000.00"
    assert call("cancel", orders=f"{order},7777777") == [
        {"order": order, "cancel": {"error": "Order cannot be canceled"}},
        {"order": 7777777, "cancel": {"error": "Incorrect order ID"}},
    ]

    done = add(call, service, f"{LINK}/instant")["order"]
    assert call("refill", order=done) == {"refill": done}
    assert call("refill_status", refill=done) == {"status": "Completed"}
    assert call("refill", order=order) == {"error": "Order cannot be refilled"}


@pytest.mark.parametrize(
    ("phone", "seconds", "status", "charge"),
    [
        ("", 9, "active", "0.5000"),
        ("", 10, "code_received", "0.5000"),
        ("+10000000001", 0, "code_received", "0.5000"),
        ("+10000000002", 59, "active", "0.5000"),
        ("+10000000002", 61, "expired", "0.0000"),
        ("+10000000003", 11, "canceled", "0.0000"),
    ],
)
def test_number_when_time_passes_then_it_goes_as_its_phone_says(
    call: Call, project: Project, wait: Wait, phone: str, seconds: int, status: str, charge: str
) -> None:
    [bought] = call("add_sms", project_id=project.pk, phone=phone)["orders"]
    wait(seconds)

    answer = call("sms_status", order=bought["order"])

    assert (answer["status"], answer["charge"], answer["phone"]) == (status, charge, bought["phone"])
    code = call("sms_code", order=bought["order"])
    if status == "code_received":
        assert (code["status"], code["code"]) == ("completed", answer["code"])
        assert answer["sms_content"] == code["sms_content"] == f"Your verification code is {answer['code']}"
    else:
        assert answer["code"] is None
        assert "message" in code
    assert float(call("balance")["balance"]) == 1000 - float(charge)


def test_add_sms_when_simulated_then_its_rules_are_the_real_ones(call: Call, project: Project) -> None:
    asked = {"project_id": project.pk}

    assert len(call("add_sms", **asked, quantity=3)["orders"]) == 3
    assert call("add_sms", **asked, quantity=11) == {"error": "Quantity must be between 1 and 10"}
    assert call("add_sms", **asked, phone="+1999") == {"error": "Phone number is not available"}
    assert call("add_sms", **asked, phone="+10000000004") == {"error": "No numbers available"}
    assert call("add_sms", project_id=0) == {"error": "Project not found"}
    had = SimulatedOrder.objects.first()
    assert had is not None
    assert call("add_sms", **asked, phone=had.phone)["orders"][0]["phone"] == had.phone


def test_reading_when_the_simulated_order_is_anothers_then_it_is_not_found(
    call: Call, service: Service, ben: User, ann: User
) -> None:
    order = add(call, service)["order"]
    his = create_api_key(user=ben, name="his", is_test=True)[1]
    live = create_api_key(user=ann, name="live")[1]

    for other in (his, live):
        for action in ("status", "sms_code", "sms_status", "refill"):
            assert call(action, order=order, key=other) == {"error": "Order not found"}


def test_add_when_an_order_before_was_given_back_then_its_money_does_not_come_again(
    call: Call, service: Service
) -> None:
    canceled = add(call, service, link=LINK + "/stuck")["order"]
    call("cancel", order=canceled)
    assert call("balance")["balance"] == "1000.00"

    add(call, service, link=LINK + "/stuck")

    assert call("balance")["balance"] == "998.125"


def test_refill_status_when_the_simulated_order_is_anothers_then_it_is_not_found(
    call: Call, service: Service, ben: User
) -> None:
    Service.objects.update(refill=True)
    order = add(call, service, link=LINK + "/instant")["order"]
    assert call("refill_status", refill=order) == {"status": "Completed"}

    his = create_api_key(user=ben, name="his", is_test=True)[1]
    assert call("refill_status", refill=order, key=his) == {"error": "Refill not found"}


def test_cancel_when_a_test_key_may_only_buy_numbers_then_its_simulated_orders_stay(
    call: Call, service: Service, ann: User
) -> None:
    order = add(call, service, link=LINK + "/stuck")["order"]
    other = create_api_key(user=ann, name="numbers", is_test=True, may_order=False)[1]

    answer = call("cancel", order=order, key=other)

    assert answer == [{"order": order, "cancel": {"error": "This key may not order services"}}]
    assert SimulatedOrder.objects.get().canceled_at is None


def test_clean_simulated_orders_when_they_are_old_then_they_are_forgotten(call: Call, service: Service) -> None:
    add(call, service)

    assert clean_simulated_orders(now=timezone.now() + timedelta(days=30)) == 0
    assert clean_simulated_orders(now=timezone.now() + timedelta(days=32)) == 1


def test_status_when_it_is_asked_about_a_number_then_there_is_no_such_order(call: Call, project: Project) -> None:
    [row] = call("add_sms", project_id=project.pk)["orders"]

    assert call("status", order=row["order"]) == {"error": "Order not found"}
    assert call("status", orders=str(row["order"])) == {str(row["order"]): {"error": "Order not found"}}
    assert call("sms_status", order=row["order"])["phone"] == row["phone"]
