"""The dialect of existing programs: refills and cancels, and the habits a key may ask for."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.keys.api_keys import change_api_key, create_api_key, rotate_api_key
from accounts.models import ApiKey, User
from catalog.models import Service
from orders.lifecycle.service_requests import close_request
from orders.models import Checkout, Order, ServiceRequest, Status
from tests.api.conftest import Call
from tests.storefront.admin_rows import make_order
from wallet.models import Wallet

pytestmark = pytest.mark.django_db
LINK = "https://instagram.com/ann"


@pytest.fixture
def habit(key: str) -> Any:
    """Switch a habit of Ann's key on."""
    return lambda name: change_api_key(ApiKey.objects.get().pk, **{name: True})


@pytest.fixture
def generous(service: Service) -> Service:
    """The service, with refills and cancels."""
    Service.objects.filter(pk=service.pk).update(refill=True, cancel=True)
    return service


# --- Refill and cancel ----------------------------------------------------------------------------------------------
def test_refill_when_the_service_allows_it_then_staff_is_asked_and_its_answer_is_told(
    call: Call, ann: User, sam: User, generous: Service
) -> None:
    order = make_order(ann, service=generous, status=Status.COMPLETED)

    answer = call("refill", order=order.pk)

    request = ServiceRequest.objects.get(kind="refill")
    assert answer == {"refill": request.pk}
    assert call("refill", order=order.pk) == answer
    assert call("refill_status", refill=request.pk) == {"status": "Pending"}
    # Long enough ago that no rule says the same to the next one.
    close_request(request.pk, state="done", answer="", actor=sam, now=timezone.now() - timedelta(days=2))
    assert call("refill_status", refill=request.pk) == {"status": "Completed"}
    again = call("refill", order=order.pk)["refill"]
    close_request(again, state="declined", answer="no", actor=sam, now=timezone.now())
    assert call("refill_status", refills=f"{request.pk},{again},999,x") == [
        {"refill": request.pk, "status": "Completed"},
        {"refill": again, "status": "Rejected"},
        {"refill": 999, "status": {"error": "Refill not found"}},
        {"refill": "x", "status": {"error": "Refill not found"}},
    ]


def test_refill_of_several_when_some_cannot_be_then_each_has_its_own_answer(
    call: Call, ann: User, ben: User, generous: Service
) -> None:
    done = make_order(ann, service=generous, status=Status.COMPLETED)
    open_one = make_order(ann, service=generous, status=Status.IN_PROGRESS)
    his = make_order(ben, service=generous, status=Status.COMPLETED)

    answers = call("refill", orders=f"{done.pk},{open_one.pk},{his.pk}")

    assert answers == [
        {"order": done.pk, "refill": ServiceRequest.objects.get().pk},
        {"order": open_one.pk, "refill": {"error": "Order cannot be refilled"}},
        {"order": his.pk, "refill": {"error": "Incorrect order ID"}},
    ]
    assert call("refill", order=his.pk) == {"error": "Order not found"}
    assert call("refill_status", refill=10**17) == {"error": "Refill not found"}


def test_cancel_when_orders_wait_run_and_are_over_then_each_is_treated_as_it_stands(
    call: Call, ann: User, ben: User, generous: Service
) -> None:
    unsent = call("add", service=generous.pk, link=LINK, quantity=1000)["order"]
    running = make_order(ann, service=generous, status=Status.IN_PROGRESS)
    over = make_order(ann, service=generous, status=Status.COMPLETED)
    his = make_order(ben, service=generous)

    answers = call("cancel", orders=f"{unsent},{running.pk},{over.pk},{his.pk},x")

    assert answers == [
        {"order": unsent, "cancel": 1},
        {"order": running.pk, "cancel": 1},
        {"order": over.pk, "cancel": {"error": "Order cannot be canceled"}},
        {"order": his.pk, "cancel": {"error": "Incorrect order ID"}},
        {"order": "x", "cancel": {"error": "Incorrect order ID"}},
    ]
    assert call("status", order=unsent)["status"] == "Canceled"
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000
    assert ServiceRequest.objects.get().order == running
    assert call("cancel", order=running.pk) == [{"order": running.pk, "cancel": 1}]
    assert call("cancel") == {"error": "Order ID is required"}
    assert call("cancel", orders=",".join(str(n) for n in range(101))) == {"error": "Too many orders, 100 at most"}


# --- Habits of a key ------------------------------------------------------------------------------------------------
def test_bare_services_when_switched_on_then_the_list_alone_is_the_answer(
    call: Call, habit: Any, service: Service
) -> None:
    whole = call("services")

    habit("bare_services")

    assert call("services") == whole["services"]
    assert call("services", limit=1) == whole["services"]


def test_numbers_as_text_when_switched_on_then_numbers_are_texts_and_flags_stay(
    call: Call, habit: Any, service: Service
) -> None:
    habit("numbers_as_text")

    page = call("services")
    [row] = page["services"]
    assert (row["service"], row["min"], row["refill"], page["total"]) == (str(service.pk), "10", False, "1")
    assert call("add", service=service.pk, link=LINK, quantity=1000) == {"order": str(Order.objects.get().pk)}


def test_get_when_switched_on_then_it_reads_and_never_buys(call: Call, key: str, habit: Any, service: Service) -> None:
    asked = {"key": key, "action": "balance"}
    assert Client().get("/api/v2", asked).json() == {"error": "Method not allowed"}

    habit("get_for_reads")

    assert Client().get("/api/v2", asked).json() == {"balance": "100.00", "currency": "USD"}
    for action in ("add", "add_sms", "cancel", "refill"):
        buying = {"key": key, "action": action, "service": service.pk, "link": LINK, "quantity": 1000}
        assert Client().get("/api/v2", buying).json() == {"error": "Method not allowed"}
    assert Client().get("/api/v2", {**asked, "key": "x"}).json() == {"error": "Invalid API key"}
    assert Client().get("/api/v2?key=%00").json() == {"error": "Request cannot be read"}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"action": "nothing"}, 400),
        ({"action": "status", "order": "1"}, 404),
        ({"action": "add", "service": "999999"}, 404),
        ({"action": "balance"}, 200),
    ],
)
def test_http_errors_when_switched_on_then_they_have_a_status(key: str, habit: Any, asked: dict, status: int) -> None:
    before = Client().post("/api/v2", {"key": key, **asked})
    habit("http_errors")
    after = Client().post("/api/v2", {"key": key, **asked})

    assert (before.status_code, after.status_code) == (200, status)
    assert (before.json(), after["Content-Type"]) == (after.json(), "application/json")


def test_http_errors_when_the_key_is_not_known_then_the_status_stays_200(key: str, habit: Any) -> None:
    habit("http_errors")

    assert Client().post("/api/v2", {"key": f"{key}0", "action": "balance"}).status_code == 200
    assert Client().put("/api/v2", {"key": key}).status_code == 200


# --- request_id -----------------------------------------------------------------------------------------------------
def test_request_id_when_the_key_was_rotated_then_it_is_still_remembered(
    call: Call, service: Service, ann: User
) -> None:
    asked = {"service": service.pk, "link": LINK, "quantity": 1000, "request_id": "one"}
    first = call("add", **asked)

    new = rotate_api_key(ApiKey.objects.get().pk, keep_old_for=timedelta(0))[1]

    assert call("balance") == {"error": "Invalid API key"}
    assert call("add", **asked, key=new) == first
    assert Order.objects.count() == 1


def test_request_id_when_it_is_old_enough_then_it_buys_anew_and_the_old_order_stays(
    call: Call, service: Service, ann: User, settings: Any
) -> None:
    asked = {"service": service.pk, "link": LINK, "quantity": 1000, "request_id": "one"}
    first = call("add", **asked)
    Checkout.objects.update(created_at=timezone.now() - timedelta(days=29, hours=23))
    assert call("add", **asked) == first

    Checkout.objects.update(created_at=timezone.now() - timedelta(days=30, hours=1))
    second = call("add", **{**asked, "quantity": 2000})

    assert second != first
    assert call("add", **{**asked, "quantity": 2000}) == second
    assert call("status", order=first["order"])["charge"] == "1.875"
    assert Checkout.objects.get(request_id="one").orders.get().pk == second["order"]


def test_request_id_when_another_customer_uses_the_same_then_both_buy(call: Call, service: Service, ben: User) -> None:
    asked = {"service": service.pk, "link": LINK, "quantity": 1000, "request_id": "one"}
    his = create_api_key(user=ben, name="his")[1]

    assert call("add", **asked) != call("add", **asked, key=his)
    assert Order.objects.count() == 2


def test_add_when_numbers_come_in_json_then_lists_and_nulls_are_understood(
    key: str, service: Service, client: Client
) -> None:
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=1)
    body = {"key": key, "action": "add", "service": service.pk, "link": LINK, "comments": ["a", "b"], "runs": None}

    answer = client.post("/api/v2", json.dumps(body), content_type="application/json").json()

    assert answer == {"order": Order.objects.get(quantity=2).pk}
