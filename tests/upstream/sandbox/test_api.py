"""The stand-in upstream, asked over plain HTTP: the document's shapes, refusals, money, time."""

import re
import time
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.upstream.sandbox_calls import FOLLOWERS, GMAIL, LINK, SOLD_OUT, Ask, buy, first_project
from upstream.sandbox import texts
from upstream.sandbox.process import Sandbox


# --- Every example of the document ---------------------------------------------------------------------------------
def test_categories_when_asked_has_the_documented_shape(ask: Ask) -> None:
    rows = ask("categories")["categories"]

    assert set(rows[0]) == {"category", "subcategories"}
    assert rows[0]["category"] == "Instagram"
    homes_of_followers = [row["category"] for row in rows if "Followers" in row["subcategories"]]
    assert len(homes_of_followers) > 1


def test_services_when_paged_has_the_documented_rows_and_totals(ask: Ask) -> None:
    answer = ask("services", page=1, limit=2)

    assert answer == {
        "services": [
            {
                "service": 1, "name": "Instagram Followers", "type": "Default", "category": "Instagram",
                "rate": "0.50", "min": 100, "max": 10000, "refill": True, "cancel": False, "stock": 10000,
            },
            {
                "service": 2, "name": "Instagram Comments", "type": "Custom Comments", "category": "Instagram",
                "rate": "5.00", "min": 10, "max": 1000, "refill": False, "cancel": False, "stock": 1000,
            },
        ],
        "total": 60, "page": 1, "limit": 2, "total_pages": 30,
    }  # fmt: skip


def test_services_when_walked_by_pages_and_by_places_names_each_service_once(ask: Ask) -> None:
    whole = ask("services")

    paged = [row for page in range(1, 10) for row in ask("services", page=page, limit=7)["services"]]
    placed = [
        row
        for place in ask("categories")["categories"]
        for subcategory in place["subcategories"]
        for row in ask("services", category=place["category"], subcategory=subcategory)["services"]
    ]

    assert (whole["page"], whole["limit"], whole["total"], whole["total_pages"]) == (1, 60, 60, 1)
    assert paged == whole["services"]
    assert sorted(row["service"] for row in placed) == list(range(1, 61))


def test_services_when_only_subcategory_is_given_crosses_categories(ask: Ask) -> None:
    rows = ask("services", subcategory="Followers")["services"]

    assert len({row["category"] for row in rows}) > 1


@pytest.mark.parametrize(("service", "stock", "available"), [(FOLLOWERS, 10000, True), (SOLD_OUT, 0, False)])
def test_inventory_when_asked_has_the_documented_shape(ask: Ask, service: int, stock: int, available: bool) -> None:
    assert ask("inventory", service=service) == {"service": service, "stock": stock, "available": available}


def test_add_when_valid_answers_a_number_and_takes_money_and_stock(box: Sandbox, ask: Ask) -> None:
    answer = ask("add", service=FOLLOWERS, link=LINK, quantity=1000)

    assert list(answer) == ["order"]
    assert type(answer["order"]) is int
    assert ask("balance") == {"balance": "999.50", "currency": "USD"}
    assert ask("inventory", service=FOLLOWERS)["stock"] == 9000
    (order,) = box.orders
    assert (order["id"], order["link"], order["quantity"], order["charge"]) == (answer["order"], LINK, 1000, "0.50")


def test_status_when_order_is_new_has_the_documented_shape(ask: Ask) -> None:
    status = ask("status", order=buy(ask))

    assert status == {
        "status": "Pending",
        "charge": "0.50",
        "start_count": status["start_count"],
        "remains": 1000,
        "currency": "USD",
    }
    assert type(status["start_count"]) is int


def test_sms_projects_when_filtered_has_the_documented_shape(ask: Ask) -> None:
    rows = ask("sms_projects", country="us")
    everywhere = ask("sms_projects")

    assert rows[0] == {
        "project_id": rows[0]["project_id"],
        "name": "OpenAI / ChatGPT",
        "price": "0.5000",
        "country_id": "us",
        "country_title": "United States",
    }
    assert re.fullmatch(r"65f[0-9a-f]{21}", rows[0]["project_id"])
    assert {row["country_id"] for row in rows} == {"us"}
    assert len(everywhere) == 40 * 60
    assert len({row["price"] for row in everywhere if row["name"] == "Telegram"}) > 20


def test_sms_countries_when_asked_is_a_bare_array(ask: Ask) -> None:
    rows = ask("sms_countries")

    assert rows[:2] == [
        {"country_code": "us", "country_name": "United States"},
        {"country_code": "gb", "country_name": "United Kingdom"},
    ]
    assert len(rows) == 40


def test_add_sms_when_two_are_asked_rents_two_with_ascending_ids(ask: Ask) -> None:
    earlier = buy(ask)

    rows = ask("add_sms", project_id=first_project(ask), quantity=2, country="us")["orders"]

    assert [row["order"] for row in rows] == [earlier + 1, earlier + 2]
    for row in rows:
        assert row == {"order": row["order"], "phone": row["phone"], "country": "us", "status": "active"}
        assert re.fullmatch(r"\+1\d{10}", row["phone"])
    assert ask("balance")["balance"] == "998.50"


def test_sms_code_when_code_arrives_goes_from_waiting_to_completed(box: Sandbox, ask: Ask) -> None:
    order = ask("add_sms", project_id=first_project(ask))["orders"][0]["order"]
    before = ask("sms_code", order=order)

    box.deliver_code(order, "123456", "Your verification code is 123456")

    assert before == {"status": "waiting", "message": "Waiting for code"}
    assert ask("sms_code", order=order) == {
        "status": "completed",
        "code": "123456",
        "sms_content": "Your verification code is 123456",
    }


def test_sms_status_when_code_arrived_has_the_documented_shape(box: Sandbox, ask: Ask) -> None:
    rented = ask("add_sms", project_id=first_project(ask))["orders"][0]
    assert ask("sms_status", order=rented["order"])["status"] == "active"

    box.deliver_code(rented["order"], "123456", "Your verification code is 123456")

    status = ask("sms_status", order=rented["order"])
    assert status == {
        "status": "code_received",
        "phone": rented["phone"],
        "code": "123456",
        "charge": "0.5000",
        "currency": "USD",
        "expires_at": status["expires_at"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", status["expires_at"])


# --- Refusals ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"action": "balance", "key": "wrong"}, texts.INVALID_API_KEY),
        ({"action": "nothing"}, texts.INVALID_ACTION),
        ({"action": "add", "link": LINK, "quantity": 100}, texts.SERVICE_ID_REQUIRED),
        ({"action": "add", "service": 999_999, "link": LINK, "quantity": 100}, texts.SERVICE_NOT_FOUND),
        ({"action": "inventory", "service": "one"}, texts.SERVICE_NOT_FOUND),
        ({"action": "add", "service": 1, "link": LINK, "quantity": 99}, texts.QUANTITY_TOO_SMALL),
        ({"action": "add", "service": 1, "link": LINK, "quantity": 10_001}, texts.QUANTITY_TOO_LARGE),
        ({"action": "add", "service": 1, "link": LINK, "quantity": "1e3"}, texts.INVALID_QUANTITY),
        ({"action": "add", "service": 1, "link": LINK}, texts.QUANTITY_REQUIRED),
        ({"action": "add", "service": 1, "quantity": 100}, texts.LINK_REQUIRED),
        ({"action": "add", "service": 1, "link": "@me", "quantity": 100}, texts.INVALID_LINK),
        ({"action": "add", "service": 5, "link": "a@example.com", "quantity": 1}, texts.NOT_ENOUGH_STOCK),
        ({"action": "add", "service": 4, "link": LINK, "quantity": 100}, texts.NOT_ORDERABLE),
        ({"action": "add", "service": 2, "link": LINK, "quantity": 10}, texts.COMMENTS_REQUIRED),
        ({"action": "add", "service": 2, "link": LINK, "quantity": 10, "comments": "a\nb"}, texts.COMMENTS_MISMATCH),
        ({"action": "status", "order": 1}, texts.ORDER_NOT_FOUND),
        ({"action": "sms_code", "order": 1}, texts.ORDER_NOT_FOUND),
        ({"action": "add_sms", "project_id": "65f"}, texts.PROJECT_NOT_FOUND),
        ({"action": "add_sms"}, texts.PROJECT_ID_REQUIRED),
        ({"action": "services", "page": 0, "limit": 5}, texts.INVALID_PAGE),
        ({"action": "add", "service": 1, "link": LINK, "quantity": 100, "runs": 2}, "Unknown parameter: runs"),
        (
            {"action": "add", "service": 1, "link": LINK, "quantity": 100, "comments": "a"},
            "Unknown parameter: comments",
        ),
        ({"action": "balance", "currency": "EUR"}, "Unknown parameter: currency"),
    ],
)  # fmt: skip
def test_call_when_wrong_is_refused_and_changes_nothing(
    box: Sandbox, ask: Ask, params: dict[str, Any], text: str
) -> None:
    answer = ask(**params)

    assert answer == {"error": text}
    assert box.orders == []
    assert ask("balance")["balance"] == "1000.00"


def test_add_when_balance_is_short_is_refused(box: Sandbox, ask: Ask) -> None:
    box.set_balance("0.49")

    assert ask("add", service=FOLLOWERS, link=LINK, quantity=1000) == {"error": "Insufficient balance"}
    assert ask("add", service=FOLLOWERS, link=LINK, quantity=980) == {"order": 23501}
    assert ask("balance")["balance"] == "0.00"


def test_add_sms_when_few_numbers_are_left_rents_those_then_none(box: Sandbox, ask: Ask) -> None:
    project = first_project(ask)
    box.set_project(project, available=1)

    assert len(ask("add_sms", project_id=project, quantity=5)["orders"]) == 1
    assert ask("add_sms", project_id=project) == {"error": "No numbers available"}


def test_add_sms_when_phone_was_ours_rents_it_again(ask: Ask) -> None:
    project, other = (row["project_id"] for row in ask("sms_projects", country="us")[:2])
    phone = ask("add_sms", project_id=project)["orders"][0]["phone"]

    assert ask("add_sms", project_id=project, phone=phone)["orders"][0]["phone"] == phone
    assert ask("add_sms", project_id=other, phone=phone) == {"error": texts.PHONE_NOT_AVAILABLE}


def test_call_when_json_or_slash_or_get_is_used_is_answered_in_kind(box: Sandbox) -> None:
    body = {"key": box.key, "action": "inventory", "service": 1}

    as_json = requests.post(box.url, json=body, timeout=5)
    with_slash = requests.post(box.url + "/", data=body, timeout=5)
    with_get = requests.get(box.url, params=body, timeout=5)

    assert as_json.json() == with_slash.json() == {"service": 1, "stock": 10000, "available": True}
    assert as_json.headers["Content-Type"] == "application/json"
    assert with_get.status_code == 405


# --- Money ---------------------------------------------------------------------------------------------------------
def test_add_when_rate_has_four_decimals_charges_exactly(box: Sandbox, ask: Ask) -> None:
    box.set_service(FOLLOWERS, rate="0.1237")

    order = buy(ask, quantity=130)  # 0.1237 × 130 ÷ 1000 = 0.016081

    assert ask("status", order=order)["charge"] == "0.016081"
    assert ask("balance")["balance"] == "999.983919"


def test_add_when_service_is_a_product_rate_buys_one_piece(box: Sandbox, ask: Ask) -> None:
    order = ask("add", service=GMAIL, quantity=3)["order"]

    assert ask("status", order=order)["charge"] == "1.35"
    box.set_order(order, status="Completed")
    accounts = ask("status", order=order)["accounts"]
    assert len(accounts) == 3
    assert all(len(account.split(":")) == 3 for account in accounts)


def test_books_when_orders_end_in_every_way_add_up(box: Sandbox, ask: Ask) -> None:
    done, part, gone, dearer = (buy(ask) for _ in range(4))
    number = ask("add_sms", project_id=first_project(ask))["orders"][0]["order"]
    box.set_order(done, status="Completed")
    box.set_order(part, status="Partial", remains=400)
    box.set_order(gone, status="Canceled")
    box.set_order(dearer, charge="0.75")
    box.set_number(number, status="expired")
    box.set_balance("500.00")

    books = box.books()

    assert books["adds_up"] is True
    # 4 × 0.50 + 0.25 more + the number's 0.50; back: 0.20 + 0.50 + 0.50
    assert (books["opening"], books["charges"], books["returned"]) == ("1000.00", "2.75", "1.20")
    assert books["balance"] == ask("balance")["balance"] == "500.00"
    assert ask("status", order=part)["charge"] == "0.30"
    assert ask("status", order=part)["remains"] == 400
    assert ask("status", order=gone)["charge"] == "0.00"
    assert ask("sms_status", order=number)["charge"] == "0.0000"
    assert ask("sms_code", order=number)["status"] == "expired"


# --- Time ----------------------------------------------------------------------------------------------------------
def finished(box: Sandbox, ask: Ask, orders: int) -> list[str]:
    for _ in range(orders):
        buy(ask, quantity=100)
    box.set(speed=100_000)
    time.sleep(0.05)
    return [order["status"] for order in box.orders]


def test_orders_when_time_passes_end_in_all_three_ways_by_seed(box: Sandbox, ask: Ask) -> None:
    first = finished(box, ask, 60)
    books = box.books()
    box.reset()
    again = finished(box, ask, 60)
    box.reset(seed=2)
    other = finished(box, ask, 60)

    assert set(first) == {"Completed", "Partial", "Canceled"}
    assert first == again != other
    assert books["adds_up"] is True
    assert Decimal(books["returned"]) > 0
    assert ask("inventory", service=FOLLOWERS)["stock"] == 10_000


def test_orders_when_time_passes_go_through_in_progress(box: Sandbox, ask: Ask) -> None:
    box.set(partial_rate=0, canceled_rate=0)
    order = buy(ask)
    assert ask("status", order=order)["status"] == "Pending"

    seen, remains = set(), []
    box.set(speed=300)
    deadline = time.monotonic() + 10
    while "Completed" not in seen and time.monotonic() < deadline:
        status = ask("status", order=order)
        seen.add(status["status"])
        remains.append(status["remains"])

    assert {"In progress", "Completed"} <= seen
    assert remains == sorted(remains, reverse=True)
    assert remains[-1] == 0


def test_orders_when_speed_is_zero_do_not_move(box: Sandbox, ask: Ask) -> None:
    order = buy(ask)
    number = ask("add_sms", project_id=first_project(ask))["orders"][0]["order"]

    time.sleep(0.3)

    assert ask("status", order=order)["status"] == "Pending"
    assert ask("sms_status", order=number)["status"] == "active"


def test_numbers_when_time_passes_get_codes_or_expire_and_return_the_charge(box: Sandbox, ask: Ask) -> None:
    box.set(code_delay_seconds=10, number_lifetime_seconds=60, codeless_rate=0.5)
    project = first_project(ask)
    orders = [row["order"] for _ in range(4) for row in ask("add_sms", project_id=project, quantity=10)["orders"]]
    box.set(speed=100_000)
    time.sleep(0.05)

    answers = [ask("sms_status", order=order) for order in orders]

    assert {(row["status"], row["charge"]) for row in answers} == {
        ("code_received", "0.5000"),
        ("expired", "0.0000"),
    }
    assert all(bool(row["code"]) == (row["status"] == "code_received") for row in answers)
    books = box.books()
    assert books["adds_up"] is True
    assert Decimal(books["returned"]) == Decimal("0.5") * sum(row["status"] == "expired" for row in answers)
