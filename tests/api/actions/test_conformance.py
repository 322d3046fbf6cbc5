"""Every example of the HstockPlus API document as a case: the same request, the same answer.

Source: the HstockPlus API document, read as of the day this was written; its sections are named below.
"""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from orders.models import Order
from sms.models import Country, Project
from tests.api import world
from tests.api.conftest import Call

LINK = "https://instagram.com/username"


@pytest.fixture
def document(ann: User, settings: Any) -> world.World:
    """The shop of the document's examples."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    return world.build_world(ann)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("document")]


# --- Get Categories -------------------------------------------------------------------------------------------------
def test_categories_when_asked_then_every_category_has_its_subcategories(call: Call) -> None:
    answer = call("categories")

    for category in answer["categories"]:
        category["subcategories"].sort()
    assert answer == {
        "categories": [
            {"category": "Instagram", "subcategories": ["Comments", "Followers", "Likes"]},
            {"category": "Email Accounts", "subcategories": ["Gmail", "Outlook"]},
        ]
    }


# --- Services List --------------------------------------------------------------------------------------------------
FIRST_TWO = [
    {
        "service": 1,
        "name": "Instagram Followers",
        "type": "Default",
        "category": "Instagram",
        "rate": "0.50",
        "min": 100,
        "max": 10000,
        "refill": True,
        "cancel": False,
        "stock": 10000,
    },
    {
        "service": 2,
        "name": "Instagram Comments",
        "type": "Custom Comments",
        "category": "Instagram",
        "rate": "5.00",
        "min": 10,
        "max": 1000,
        "refill": False,
        "cancel": False,
        "stock": 1000,
    },
]


def test_services_when_a_page_is_asked_for_then_it_is_the_documents_page(call: Call) -> None:
    answer = call("services", page=1, limit=50)

    by_id = {row["service"]: row for row in call("services")["services"]}
    assert [by_id[1], by_id[2]] == FIRST_TWO
    assert [list(row) for row in answer["services"]] == [list(FIRST_TWO[0])] * 50  # the fields in their order, too
    assert list(answer) == ["services", "total", "page", "limit", "total_pages"]
    assert {name: answer[name] for name in list(answer)[1:]} == {
        "total": 150,
        "page": 1,
        "limit": 50,
        "total_pages": 3,
    }


@pytest.mark.parametrize("limit", [{}, {"limit": 0}])
def test_services_without_a_limit_then_all_come_and_page_and_limit_say_so(call: Call, limit: dict) -> None:
    answer = call("services", **limit)

    assert len(answer.pop("services")) == 150
    assert answer == {"total": 150, "page": 1, "limit": 150, "total_pages": 1}


@pytest.mark.parametrize(
    ("chosen", "services"),
    [
        ({"category": "Email Accounts"}, {23501, 23502}),
        ({"subcategory": "Followers"}, {1}),
        ({"category": "Instagram", "subcategory": "Comments"}, {2}),
        ({"category": "Email Accounts", "subcategory": "Comments"}, set()),
    ],
)
def test_services_when_a_category_is_chosen_then_only_its_services_come(
    call: Call, chosen: dict, services: set[int]
) -> None:
    assert {row["service"] for row in call("services", **chosen)["services"]} == services


# --- Check Stock ----------------------------------------------------------------------------------------------------
def test_inventory_when_there_are_some_then_it_says_how_many(call: Call) -> None:
    assert call("inventory", service=23501) == {"service": 23501, "stock": 42, "available": True}
    assert call("inventory", service=23502) == {"service": 23502, "stock": 0, "available": False}


# --- Add Order ------------------------------------------------------------------------------------------------------
def test_add_when_all_is_well_then_the_answer_is_the_order_alone(call: Call, ann: User) -> None:
    answer = call("add", service=1, link=LINK, quantity=1000)

    assert answer == {"order": world.newest_order(ann).pk}


def test_add_when_goods_have_no_link_then_the_accounts_own_address_is_used(call: Call, ann: User) -> None:
    answer = call("add", service=23501, quantity=1)

    assert Order.objects.get(pk=answer["order"]).link == ann.email


# --- Order Status ---------------------------------------------------------------------------------------------------
def test_status_when_it_is_in_progress_then_it_has_the_documents_five_fields(call: Call) -> None:
    answer = call("status", order=23501)

    assert list(answer.items()) == [
        ("status", "In progress"),
        ("charge", "5.00"),
        ("start_count", 1000),
        ("remains", 500),
        ("currency", "USD"),
    ]


def test_status_when_several_are_asked_for_then_each_has_its_answer(call: Call) -> None:
    answer = call("status", orders="23501,23502,9")

    words = {order: row.get("status") for order, row in answer.items()}
    assert words == {"23501": "In progress", "23502": "Completed", "9": None}
    assert answer["9"] == {"error": "Order not found"}


# --- Balance --------------------------------------------------------------------------------------------------------
def test_balance_when_asked_then_it_is_text_with_two_decimals(call: Call) -> None:
    assert call("balance") == {"balance": "100.00", "currency": "USD"}


# --- SMS Verification API -------------------------------------------------------------------------------------------
def test_sms_projects_when_a_country_is_chosen_then_the_answer_is_a_bare_array(call: Call) -> None:
    assert call("sms_projects", country="us") == [
        {
            "project_id": "65",
            "name": "OpenAI / ChatGPT",
            "price": "0.5000",
            "country_id": "us",
            "country_title": "United States",
        }
    ]
    assert {row["country_id"] for row in call("sms_projects")} == {"us", "gb"}


def test_sms_countries_when_asked_then_the_answer_is_a_bare_array(call: Call) -> None:
    answer = call("sms_countries")

    assert sorted(answer, key=lambda row: row["country_code"], reverse=True) == [
        {"country_code": "us", "country_name": "United States"},
        {"country_code": "gb", "country_name": "United Kingdom"},
    ]


def test_sms_code_when_it_has_come_then_code_and_content_are_there(call: Call) -> None:
    assert call("sms_code", order=12345) == {
        "status": "completed",
        "code": "123456",
        "sms_content": "Your verification code is 123456",
    }


def test_sms_code_when_it_has_not_come_then_the_answer_says_waiting(call: Call) -> None:
    assert call("sms_code", order=12346) == {"status": "waiting", "message": "Waiting for code"}


def test_sms_status_when_the_code_has_come_then_all_of_the_documents_fields_are_there(call: Call) -> None:
    answer = call("sms_status", order=12345)

    content = answer.pop("sms_content")  # for the clients that poll nothing else
    assert content == "Your verification code is 123456"
    assert list(answer.items()) == [
        ("status", "code_received"),
        ("phone", "+1234567890"),
        ("code", "123456"),
        ("charge", "0.5000"),
        ("currency", "USD"),
        ("expires_at", "2023-01-01T12:00:00.000Z"),
    ]


@pytest.mark.django_db(transaction=True)
def test_add_sms_when_upstream_has_one_then_the_number_is_in_the_answer(
    key: str, call: Call, client_upstream: Any, ann: User
) -> None:
    row = next(row for row in client_upstream.sms_projects(country="us") if row.name == "OpenAI / ChatGPT")
    Project.objects.filter(pk=65).update(upstream_id=row.project_id)

    answer = call("add_sms", project_id="65", quantity=1, country="us")

    [number] = answer["orders"]
    assert list(answer) == ["orders"]
    assert list(number) == ["order", "phone", "country", "status"]
    order = world.newest_order(ann)
    assert number == {"order": order.pk, "phone": order.number.phone, "country": "us", "status": "active"}
    assert number["phone"].removeprefix("+").isdigit()
    assert Country.objects.count() == 2


# --- Error responses ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"key": "wrong", "action": "balance"}, "Invalid API key"),
        ({"action": "everything"}, "Invalid action"),
        ({"action": "add", "quantity": 1000}, "Service ID is required"),
        ({"action": "add", "service": 23501, "quantity": 42, "link": "a@example.com"}, None),
        ({"action": "add", "service": 1, "quantity": 10000, "link": LINK, "poor": True}, "Insufficient balance"),
        ({"action": "status", "order": 1}, "Order not found"),
        ({"action": "inventory", "service": 5000}, "Service not found"),
    ],
)
def test_call_when_it_cannot_be_then_the_error_is_the_documents(
    key: str, ann: User, params: dict, error: str | None
) -> None:
    if params.pop("poor", False):
        ann.wallet.__class__.objects.filter(user=ann).update(balance_micros=0)

    answer = Client().post("/api/v2", {"key": key, **params})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.content) == {"error": error} if error else "order" in json.loads(answer.content)
