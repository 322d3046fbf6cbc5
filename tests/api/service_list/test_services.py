"""The catalog over the API: the document's shapes, our ids, this customer's prices."""

from decimal import Decimal

import jsonschema_rs
import pytest

from accounts.models import CustomerGroup, User
from api.docs.schemas import ANSWERS
from catalog.models import Category, Service
from tests.api.conftest import Call
from tests.storefront.admin_rows import make_quality, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def listing(db: None) -> list[Service]:
    """Three services in three categories."""
    return [make_service(number) for number in (1, 2, 3)]


def test_categories_when_asked_then_each_has_the_subcategories_on_sale(call: Call, listing: list[Service]) -> None:
    Category.objects.filter(pk=listing[1].category_id).update(display_name="Instagram", position=-1)
    Category.objects.filter(pk=listing[2].category_id).update(visible=False)

    assert call("categories") == {
        "categories": [
            {"category": "Instagram", "subcategories": ["Followers"]},
            {"category": "Category 1", "subcategories": ["Followers"]},
        ]
    }


def test_services_when_asked_then_the_row_has_the_documents_fields_and_our_price(
    call: Call, listing: list[Service]
) -> None:
    answer = call("services")

    assert answer["services"][0] == {
        "service": listing[0].pk,
        "name": "Service 1",
        "type": "Default",
        "category": "Category 1",
        "rate": "1.875",
        "min": 10,
        "max": 1000,
        "refill": False,
        "cancel": False,
        "stock": 1000,
    }
    assert {name: value for name, value in answer.items() if name != "services"} == {
        "total": 3,
        "page": 1,
        "limit": 3,
        "total_pages": 1,
    }


def test_services_when_the_rate_buys_one_piece_then_it_is_quoted_per_thousand(
    call: Call, listing: list[Service]
) -> None:
    Service.objects.filter(pk=listing[0].pk).update(rate_per_override=1)

    assert call("services", category="Category 1")["services"][0]["rate"] == "1875.00"


def test_services_when_the_customer_has_a_discount_then_the_rate_has_it(
    call: Call, ann: User, listing: list[Service]
) -> None:
    ann.group = CustomerGroup.objects.create(name="Resellers", discount_percent=Decimal(10))
    ann.save(update_fields=["group"])

    assert call("services")["services"][0]["rate"] == "1.6875"


@pytest.mark.parametrize(
    ("asked", "names", "page", "limit", "pages"),
    [
        ({"limit": "2"}, ["Service 1", "Service 2"], 1, 2, 2),
        ({"limit": "2", "page": "2"}, ["Service 3"], 2, 2, 2),
        ({"limit": "2", "page": "9" * 18}, [], int("9" * 18), 2, 2),
        ({"limit": "0", "page": "2"}, ["Service 1", "Service 2", "Service 3"], 1, 3, 1),
        ({"limit": "undefined", "page": "-4"}, ["Service 1", "Service 2", "Service 3"], 1, 3, 1),
        ({"category": "Category 2"}, ["Service 2"], 1, 1, 1),
        ({"category": "Category 2", "subcategory": "Likes"}, [], 1, 0, 1),
        ({"subcategory": "Followers", "limit": "1"}, ["Service 1"], 1, 1, 3),
    ],
)
def test_services_when_filtered_or_paged_then_the_page_says_so(
    call: Call, listing: list[Service], asked: dict, names: list[str], page: int, limit: int, pages: int
) -> None:
    answer = call("services", **asked)

    assert [row["name"] for row in answer["services"]] == names
    assert (answer["page"], answer["limit"], answer["total_pages"]) == (page, limit, pages)


def test_services_when_there_are_more_rows_then_the_number_of_queries_stays(
    call: Call, django_assert_num_queries
) -> None:
    make_service(1)
    call("balance")  # the key's use is noted once a minute
    call("balance")  # and its row is kept
    with django_assert_num_queries(5):
        call("services")
    make_service(2)
    make_service(3)

    with django_assert_num_queries(5):
        call("services")
    with django_assert_num_queries(1):  # the version, which has just changed
        assert len(call("services")["services"]) == 3


@pytest.mark.parametrize(
    ("changed", "stock", "available"),
    [
        ({}, 1000, True),
        ({"stock": 42}, 42, True),
        ({"stock": 5}, 5, False),
        ({"stock": 0}, 0, False),
        ({"paused_because": "too dear"}, 0, False),
        ({"type": "Package"}, 0, False),
    ],
)
def test_inventory_when_asked_then_it_says_what_could_be_ordered(
    call: Call, listing: list[Service], changed: dict, stock: int, available: bool
) -> None:
    Service.objects.filter(pk=listing[0].pk).update(**{"name": "Service 1", **changed})

    assert call("inventory", service=listing[0].pk) == {
        "service": listing[0].pk,
        "stock": stock,
        "available": available,
    }


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, "Service ID is required"),
        ({"service": " "}, "Service ID is required"),
        ({"service": "999999"}, "Service not found"),
        ({"service": "abc"}, "Service not found"),
        ({"service": "9" * 40}, "Service not found"),
        ({"service": "٣"}, "Service not found"),
    ],
)
def test_inventory_when_the_service_is_not_there_then_the_documents_text_says_so(
    call: Call, asked: dict, error: str
) -> None:
    assert call("inventory", **asked) == {"error": error}


def test_inventory_when_the_service_is_hidden_then_it_is_not_found(call: Call, listing: list[Service]) -> None:
    Service.objects.filter(pk=listing[0].pk).update(visible=False)

    assert call("inventory", service=listing[0].pk) == {"error": "Service not found"}


def test_services_when_measured_then_the_row_says_so_behind_the_documents_fields(
    call: Call, listing: list[Service]
) -> None:
    plain = call("services")["services"]
    make_quality(listing[0])
    make_quality(listing[1], start_seconds=None, start_seconds_most=None, done_seconds=None, done_seconds_most=None)

    timed, untimed, unmeasured = call("services")["services"]

    assert list(timed) == [*plain[0], "average_time", "quality"]
    assert timed == {
        **plain[0],
        "average_time": 120,
        "quality": {
            "days": 30,
            "orders": 200,
            "completed_percent": 94,
            "partial_percent": 4,
            "refunded_percent": 2,
            "start_minutes": 12,
            "start_minutes_p90": 30,
            "done_minutes": 120,
            "done_minutes_p90": 180,
        },
    }
    assert list(untimed) == [*plain[1], "quality"]
    assert untimed["quality"]["done_minutes"] is None
    assert unmeasured == plain[2]
    validator = jsonschema_rs.validator_for({**ANSWERS["services"], "components": {"schemas": {}}})
    validator.validate(call("services"))
