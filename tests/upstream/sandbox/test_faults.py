"""Every fault of the stand-in upstream, and what it leaves behind."""

import threading
import time
from typing import Any

import pytest
import requests

from tests.upstream.sandbox_calls import FOLLOWERS, LINK, Ask, buy
from upstream.sandbox.process import Sandbox, SandboxFailed


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
    box.clear_faults()

    assert first == again
    assert 3 <= sum(first) <= 25
    assert not any("error" in ask("balance") for _ in range(10))


def test_fail_next_when_connections_are_refused_nobody_listens_until_healed(box: Sandbox, ask: Ask) -> None:
    ask("balance")  # leaves an open connection behind, which has to end too
    box.fail_next("refuse_connections")
    with pytest.raises(requests.ConnectionError, match="refused"):
        ask("balance")
    assert box.orders == []  # control goes on

    box.clear_faults()

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
    with pytest.raises(SandboxFailed, match="no such action: buy"):
        box.fail_next("slow", action="buy")
