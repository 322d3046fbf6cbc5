"""The stand-in upstream itself, asked over plain HTTP: the document's shapes, faults, books, restarts."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from upstream.sandbox import texts
from upstream.sandbox.process import ROOT, Sandbox, SandboxFailed

LINK = "https://instagram.com/username"
FOLLOWERS, COMMENTS, GMAIL, POLL, SOLD_OUT = 1, 2, 3, 4, 5  # the first services of every catalog
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Sandbox]:
    with Sandbox.start(services=60, seed=1, speed=0) as process:
        yield process


@pytest.fixture
def box(upstream: Sandbox) -> Sandbox:
    upstream.heal()
    upstream.reset()
    return upstream


def asker(sandbox: Sandbox) -> Ask:
    session = requests.Session()
    session.trust_env = False

    def ask(action: str, **params: Any) -> Any:
        body = {"key": sandbox.key, "action": action, **params}
        return session.post(sandbox.url, data=body, timeout=20).json()

    return ask


@pytest.fixture
def ask(box: Sandbox) -> Ask:
    return asker(box)


def buy(ask: Ask, service: int = FOLLOWERS, quantity: int = 1000) -> int:
    order: int = ask("add", service=service, link=LINK, quantity=quantity)["order"]
    return order


def first_project(ask: Ask) -> str:
    project: str = ask("sms_projects", country="us")[0]["project_id"]
    return project


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


# --- Faults --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "options", "placed"),
    [
        ("lose_reply", {}, 1),
        ("lose_reply", {"reset": True}, 1),
        ("lose_request", {}, 0),
        ("half_body", {}, 1),
        ("half_body", {"reset": True}, 1),
    ],
)
def test_fail_next_when_the_connection_breaks_leaves_the_order_as_named(
    box: Sandbox, ask: Ask, fault: str, options: dict[str, Any], placed: int
) -> None:
    box.fail_next(fault, action="add", **options)
    assert "balance" in ask("balance")  # another action is not struck

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        buy(ask)

    assert len(box.orders) == placed
    assert [entry["fault"] for entry in box.requests] == [None, fault]
    assert ask("status", order=buy(ask))["status"] == "Pending"


@pytest.mark.parametrize(
    ("fault", "options", "status", "body", "placed"),
    [
        ("429", {}, 429, '{"error":"Too many requests, rate limit exceeded"}', 0),
        ("500_before", {}, 500, "<html><body><h1>500 Internal Server Error</h1></body></html>", 0),
        ("500_after", {}, 500, "<html><body><h1>500 Internal Server Error</h1></body></html>", 1),
        ("500_after", {"text": "Service not found"}, 500, '{"error":"Service not found"}', 1),
        ("refuse", {"text": "Try later", "status": 400}, 400, '{"error":"Try later"}', 0),
        ("refuse", {"text": "Try later"}, 200, '{"error":"Try later"}', 0),
        ("garbage", {"text": "<p>hello"}, 200, "<p>hello", 1),
    ],
)
def test_fail_next_when_an_answer_comes_it_is_the_named_one(
    box: Sandbox, fault: str, options: dict[str, Any], status: int, body: str, placed: int
) -> None:
    box.fail_next(fault, **options)
    order = {"key": box.key, "action": "add", "service": FOLLOWERS, "link": LINK, "quantity": 100}

    reply = requests.post(box.url, data=order, timeout=5)

    assert (reply.status_code, reply.text) == (status, body)
    assert len(box.orders) == placed
    assert requests.post(box.url, data=order, timeout=5).json() == {"order": 23501 + placed}


def test_fail_next_when_slow_carries_out_after_the_delay(box: Sandbox, ask: Ask) -> None:
    box.fail_next("slow", seconds=0.4)
    started = time.monotonic()

    buy(ask)

    assert time.monotonic() - started >= 0.4
    assert len(box.orders) == 1


def test_fail_next_when_reset_comes_first_a_slow_call_places_nothing(box: Sandbox, ask: Ask) -> None:
    box.fail_next("slow", seconds=0.5)
    caught: list[Exception] = []

    def call() -> None:
        try:
            buy(ask)
        except requests.ConnectionError as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    deadline = time.monotonic() + 5
    while not box.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    box.reset()
    thread.join(5)

    assert len(caught) == 1
    assert box.orders == []


def test_fail_next_when_times_is_two_strikes_twice(box: Sandbox, ask: Ask) -> None:
    box.fail_next("refuse", times=2, text="No")

    assert [ask("balance").get("error") for _ in range(3)] == ["No", "No", None]


def test_fail_rate_when_seeded_strikes_the_same_calls_until_healed(box: Sandbox, ask: Ask) -> None:
    def struck() -> list[bool]:
        box.fail_rate("refuse", 0.3, action="balance", text="No")
        return ["error" in ask("balance") for _ in range(40)]

    first = struck()
    box.reset()
    again = struck()
    box.heal()

    assert first == again
    assert 3 <= sum(first) <= 25
    assert not any("error" in ask("balance") for _ in range(10))


def test_fail_next_when_connections_are_refused_nobody_listens_until_healed(box: Sandbox, ask: Ask) -> None:
    ask("balance")  # leaves an open connection behind, which has to end too
    box.fail_next("refuse_connections")
    with pytest.raises(requests.ConnectionError, match="refused"):
        ask("balance")
    assert box.orders == []  # control goes on

    box.heal()

    assert ask("balance")["balance"] == "1000.00"


def test_fail_next_when_connections_are_refused_for_a_while_comes_back_by_itself(box: Sandbox, ask: Ask) -> None:
    box.fail_next("refuse_connections", seconds=0.4)
    with pytest.raises(requests.ConnectionError, match="refused"):
        ask("balance")

    time.sleep(0.6)

    assert ask("balance")["balance"] == "1000.00"


def test_fail_next_when_the_name_or_option_is_unknown_is_an_error(box: Sandbox) -> None:
    with pytest.raises(SandboxFailed, match="no such fault: explode"):
        box.fail_next("explode")
    with pytest.raises(SandboxFailed, match="no such fault: refuse seconds"):
        box.fail_next("refuse", seconds=3)


# --- Control -------------------------------------------------------------------------------------------------------
def test_requests_when_listed_hold_no_key(box: Sandbox, ask: Ask) -> None:
    buy(ask)
    ask("status", order=1)

    entries = box.requests

    assert [(entry["action"], entry["outcome"]) for entry in entries] == [("add", "ok"), ("status", "Order not found")]
    assert entries[0]["params"] == {"service": "1", "link": LINK, "quantity": "1000"}
    assert box.key not in json.dumps(entries)


def test_set_service_when_edited_shows_at_once_everywhere(box: Sandbox, ask: Ask) -> None:
    ask("services")
    box.set_service(FOLLOWERS, rate="not a price", stock=None, category="Elsewhere", subcategory="New")

    (row,) = ask("services", category="Elsewhere", subcategory="New")["services"]

    assert (row["service"], row["rate"], "stock" in row) == (FOLLOWERS, "not a price", False)
    assert ask("services")["services"][0] == row
    with pytest.raises(SandboxFailed, match="no such field: colour"):
        box.set_service(FOLLOWERS, colour="red")


def test_remove_service_when_restored_is_back_as_it_was(box: Sandbox, ask: Ask) -> None:
    before = ask("services")

    box.remove_service(COMMENTS)
    without = ask("services")
    refused = ask("inventory", service=COMMENTS)
    box.restore_service(COMMENTS)

    assert without["total"] == 59
    assert refused == {"error": "Service not found"}
    assert ask("services") == before


def test_add_service_when_added_can_be_ordered(box: Sandbox, ask: Ask) -> None:
    number = box.add_service(name="Fresh", rate="2.00", min=1, category="Email Accounts")

    assert number == 61
    assert ask("services")["services"][-1]["name"] == "Fresh"
    assert ask("status", order=buy(ask, number, 2))["charge"] == "4.00"


def test_set_order_when_values_are_odd_shows_them_as_given(box: Sandbox, ask: Ask) -> None:
    order = buy(ask)

    box.set_order(order, status="Processing", remains="-5", start_count=None, charge="free")

    status = ask("status", order=order)
    assert (status["status"], status["remains"], status["start_count"], status["charge"]) == (
        "Processing",
        "-5",
        None,
        "free",
    )
    assert box.books()["adds_up"] is True


# --- The process ---------------------------------------------------------------------------------------------------
def test_resume_when_killed_goes_on_with_everything_it_knew(tmp_path: Path) -> None:
    with Sandbox.start(services=30, seed=3, speed=0, state=tmp_path / "state.sqlite3") as sandbox:
        ask = asker(sandbox)
        order = buy(ask)
        number = ask("add_sms", project_id=first_project(ask))["orders"][0]
        sandbox.set_service(6, rate="9.99")
        added = sandbox.add_service(name="Added")
        sandbox.set(codeless_rate=0.5)
        catalog, url, books, orders = ask("services"), sandbox.url, sandbox.books(), sandbox.orders

        sandbox.halt(kill=True)
        with pytest.raises(requests.ConnectionError):
            ask("balance")
        sandbox.resume()

        assert sandbox.url == url
        assert (ask("services"), sandbox.books(), sandbox.orders) == (catalog, books, orders)
        assert ask("sms_status", order=number["order"])["phone"] == number["phone"]
        assert ask("inventory", service=added)["available"] is True
        assert sandbox.set()["codeless_rate"] == 0.5
        assert buy(ask) == order + 2


def test_start_when_seed_is_the_same_sells_the_same_in_any_process(box: Sandbox, ask: Ask) -> None:
    with Sandbox.start(services=60, seed=1) as twin, Sandbox.start(services=60, seed=2) as other:
        whole = ask("services")

        assert asker(twin)("services") == whole != asker(other)("services")
        assert asker(twin)("sms_projects") == ask("sms_projects") != asker(other)("sms_projects")


def test_reset_when_size_changes_sells_that_many(box: Sandbox, ask: Ask) -> None:
    box.reset(services=20_000)
    started = time.monotonic()

    whole = ask("services")

    assert time.monotonic() - started < 5
    assert whole["total"] == len(whole["services"]) == 20_000
    assert len(ask("categories")["categories"]) == 60
    types = {row["type"] for row in whole["services"]}
    assert types == {"Default", "Custom Comments", "Poll"}
    assert all(re.fullmatch(r"\d+\.\d{2,4}", row["rate"]) for row in whole["services"])
    extras = [row for row in whole["services"] if "entityType" in row]
    assert 0 < len(extras) < 20_000
    assert re.fullmatch(r"[0-9a-f]{24}", extras[0]["id"])
    with pytest.raises(SandboxFailed, match="not between"):
        box.reset(services=0)


@pytest.mark.parametrize("how", ["stop", "parent dies"])
def test_stop_when_the_owner_goes_the_process_and_its_files_go_too(how: str, tmp_path: Path) -> None:
    script = (
        "import sys; from upstream.sandbox.process import Sandbox;"
        "s = Sandbox.start(services=5); print(s.url, flush=True);"
        "sys.stdin.read() if sys.argv[1] == 'parent dies' else s.stop()"
    )
    command = [sys.executable, "-c", script, how]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline().split(":")[2].split("/")[0])
        if how == "parent dies":
            assert _listens(port)
            os.kill(owner.pid, signal.SIGKILL)
        owner.wait(20)

    deadline = time.monotonic() + 10
    while (_listens(port) or list(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _listens(port)
    assert list(tmp_path.iterdir()) == []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_module_when_started_by_hand_serves_and_removes_its_temporary_state(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "upstream.sandbox", "--port", "0", "--services", "1", "--seed", "7"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"http://\S+/api/v2", line)
        assert url is not None
        reply = requests.post(url[0], data={"key": "sandbox-key", "action": "services"}, timeout=5).json()
        held = list(tmp_path.iterdir())
        process.terminate()

        assert process.wait(10) == 0

    assert reply["total"] == 1
    assert held != []
    assert list(tmp_path.iterdir()) == []


def test_add_when_many_call_at_once_gives_each_an_id_of_its_own(box: Sandbox) -> None:
    box.set_service(FOLLOWERS, stock=None, min=1)
    placed: list[int] = []

    def call_some() -> None:
        ask = asker(box)
        placed.extend(buy(ask, quantity=10) for _ in range(5))

    threads = [threading.Thread(target=call_some) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(placed) == list(range(23501, 23701))
    books = box.books()
    assert (books["charges"], books["adds_up"]) == ("1.00", True)
