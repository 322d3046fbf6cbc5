"""The client against servers that misbehave: what reached them, what it says about it, and how long it takes."""

import logging
import pickle
import socket
import threading
import time
import traceback
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from tests.upstream.raw_server import (
    BALANCE,
    KEY,
    PLACED,
    RawServer,
    Received,
    answer,
    buy,
    client_of,
    half_body,
    reset,
    say,
    say_in_turn,
    stay_silent,
)
from upstream.client import Client, default_client
from upstream.errors import (
    InvalidApiKey,
    NotPlaced,
    OrderNotFound,
    Refused,
    Throttled,
    Unavailable,
    UpstreamError,
    UpstreamNotConfigured,
)
from upstream.protocol.wire import Balance, PlacedOrder


# --- What is sent ---------------------------------------------------------------------------------------------------
def test_add_when_answered_returns_the_id_and_sends_only_what_was_given() -> None:
    with RawServer(say(PLACED)) as server:
        placed = client_of(server).add(service_id=7, link="https://example.com/ü?a=1&b=2", quantity=30)

    assert placed == PlacedOrder("23501")
    assert [received.form for received in server.received] == [
        {"key": KEY, "action": "add", "service": "7", "link": "https://example.com/ü?a=1&b=2", "quantity": "30"}
    ]


def test_add_when_there_are_comments_sends_them_as_lines() -> None:
    with RawServer(say(PLACED)) as server:
        client_of(server).add(service_id=7, link="x", quantity=2, comments="Nice & good\nПривет")

    assert server.received[0].form["comments"] == "Nice & good\nПривет"


def test_calls_when_repeated_share_one_connection_and_are_counted() -> None:
    with RawServer(say(BALANCE)) as server:
        client = client_of(server)

        for _ in range(3):
            assert client.balance() == Balance(Decimal("100.00"), "USD")

    assert {received.connection for received in server.received} == {1}
    assert client.usage == (3, 3 * len('{"balance": "100.00", "currency": "USD"}'))


def test_calls_when_many_threads_share_a_client_get_their_own_answers() -> None:
    def echo_order(sock: socket.socket, received: Received) -> None:
        sock.sendall(answer(f'{{"status": "Pending", "start_count": {received.form["order"]}}}'))

    wrong: list[int] = []

    def ask(client: Client, first: int) -> None:
        wrong.extend(
            number for number in range(first, first + 20) if client.status(order_id=str(number)).start_count != number
        )

    with RawServer(echo_order) as server:
        client = client_of(server, pool_size=8)
        threads = [threading.Thread(target=ask, args=(client, 1000 * worker)) for worker in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []
    assert client.usage.requests == len(server.received) == 160
    assert server.connections <= 8


# --- Reads ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("broken", [answer("<html>", 502), answer("not JSON"), answer("", 500), answer("{}", 404)])
def test_balance_when_upstream_stumbles_twice_is_read_at_the_third_attempt(broken: bytes) -> None:
    with RawServer(say_in_turn(broken, broken, BALANCE)) as server:
        assert client_of(server).balance().balance == Decimal("100.00")
        assert len(server.received) == 3


def test_balance_when_upstream_stays_down_is_unavailable_after_three_attempts() -> None:
    with RawServer(reset) as server:
        with pytest.raises(Unavailable):
            client_of(server).balance()

        assert len(server.received) == 3


def test_balance_when_nobody_listens_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(Unavailable, match="refused"):
        Client(f"http://127.0.0.1:{port}/api/v2", KEY, 5).balance()


def test_balance_when_silent_spends_one_bound_on_all_attempts() -> None:
    with RawServer(stay_silent) as server:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            client_of(server, timeout_seconds=0.5).balance()

        assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("status", [200, 401, 500])
def test_status_when_refused_is_not_asked_again(status: int) -> None:
    with RawServer(say(answer('{"error": "Order not found"}', status))) as server:
        with pytest.raises(OrderNotFound):
            client_of(server).status(order_id="1")

        assert len(server.received) == 1


def test_balance_when_throttled_for_a_moment_waits_and_asks_again() -> None:
    with RawServer(say_in_turn(answer("", 429, "Retry-After: 1\r\n"), BALANCE)) as server:
        began = time.monotonic()

        assert client_of(server).balance().balance == Decimal("100.00")
        assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("header", ["", "Retry-After: 60\r\n", "Retry-After: soon\r\n"])
def test_balance_when_throttled_for_long_says_so_at_once(header: str) -> None:
    with RawServer(say(answer("", 429, header))) as server:
        with pytest.raises(Throttled):
            client_of(server).balance()

        assert len(server.received) == 1


def test_balance_when_redirected_does_not_follow() -> None:
    with RawServer(say(BALANCE)) as target:
        redirect = answer("", 307, f"Location: {target.url}\r\n")
        with RawServer(say(redirect)) as server, pytest.raises(Unavailable, match="307"):
            client_of(server).balance()

        assert target.received == []


def test_calls_when_upstream_sets_cookies_do_not_send_them_back() -> None:
    heads: list[bytes] = []

    class Listening(RawServer):
        @staticmethod
        def _head(reader):
            heads.append(b"".join(lines := RawServer._head(reader)))
            return lines

    with Listening(say(answer('{"balance": "1"}', headers="Set-Cookie: session=1; Path=/\r\n"))) as server:
        client = client_of(server)
        client.balance()
        client.balance()

    assert [b"cookie" in head.lower() for head in heads[:2]] == [False, False]


# --- The key --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "behave",
    [
        reset,
        half_body,
        say(answer(f'{{"error": "Invalid API key {KEY} here"}}')),
        say(answer(f'{{"error": "{"x" * 490}{KEY}"}}')),
        say(answer(f'{{"error": "Invalid API key {KEY}"}}', 500)),
        say(answer(f"<p>{KEY}</p>", 403)),
        say(b"HTTP/1.1 abc " + KEY.encode() + b"\r\n\r\n"),
        say(answer("", 302, "Location: http://127.0.0.1:1/?key=raw-server-key%2F%2B%C3%BC\r\n")),
        say(answer(f'{{"status": "{KEY}"}}')),
    ],
)
def test_errors_and_logs_never_hold_the_key(behave, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = (KEY, "raw-server-key", "raw%2D", "server-key")

    with RawServer(behave) as server:
        client = client_of(server)
        for call in (buy, Client.balance, lambda client: client.add_sms(project_id="p")):
            with pytest.raises(UpstreamError) as caught:
                call(client)

            error: BaseException | None = caught.value
            assert error.__cause__ is None
            assert error.__context__ is None
            shown = "".join([str(error), repr(error), *traceback.format_exception(error)])
            shown += repr(client) + repr(vars(error))
            assert not [secret for secret in secrets if secret in shown]
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert not [secret for secret in secrets if secret in logged]


def test_status_when_the_answer_quotes_the_key_keeps_a_payload_without_it() -> None:
    with RawServer(say(answer(f'{{"status": "Pending", "key": "{KEY}"}}'))) as server:
        status = client_of(server).status(order_id="1")

    assert status.raw == {"status": "Pending", "key": "***"}


def test_calls_when_made_log_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="upstream.observed")

    with RawServer(say(BALANCE)) as server:
        client_of(server).balance()

    (record,) = [record for record in caplog.records if record.name == "upstream.observed"]
    assert (record.getMessage(), record.action, record.status, record.bytes) == ("upstream call", "balance", 200, 40)
    assert (record.levelname, record.outcome) == ("DEBUG", "answered")
    assert record.milliseconds >= 0


def test_purchases_when_made_are_logged_for_everybody_and_counted_by_outcome(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="upstream.observed")
    labels = {"action": "add", "outcome": "refused"}
    before = REGISTRY.get_sample_value("shop_supplier_call_duration_seconds_count", labels) or 0

    with RawServer(say(answer('{"error": "Insufficient balance"}'))) as server, pytest.raises(Refused):
        client_of(server).add(service_id=1, link="https://example.com/a", quantity=1)

    (record,) = [record for record in caplog.records if record.name == "upstream.observed"]
    assert (record.action, record.outcome, record.levelname) == ("add", "refused", "INFO")
    assert REGISTRY.get_sample_value("shop_supplier_call_duration_seconds_count", labels) == before + 1


def test_errors_when_pickled_keep_their_class_and_text() -> None:
    for error in (InvalidApiKey("Invalid API key", 200), Throttled("HTTP 429", 429), NotPlaced("refused")):
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

        assert (type(copy), str(copy), copy.http_status) == (type(error), str(error), error.http_status)


# --- Settings -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "key"), [("", KEY), ("http://127.0.0.1:1/", ""), ("ftp://host/", KEY), ("http://", KEY)]
)
def test_default_client_when_not_configured_is_unavailable(settings, url: str, key: str) -> None:
    settings.UPSTREAM_URL, settings.UPSTREAM_KEY = url, key

    with pytest.raises(UpstreamNotConfigured):
        default_client()


def test_default_client_when_called_again_is_the_same_one(settings) -> None:
    settings.UPSTREAM_URL, settings.UPSTREAM_KEY = "http://127.0.0.1:1/api/v2", KEY

    assert default_client() is default_client()
    assert default_client(timeout_seconds=120) is not default_client()


# --- Anything at all ------------------------------------------------------------------------------------------------
class Anything:
    """One server and client for all examples; what it says next is set from outside."""

    reply = b""


@pytest.fixture(scope="module")
def anything():
    with RawServer(lambda sock, _: sock.sendall(Anything.reply)) as server:
        yield client_of(server, timeout_seconds=0.02)  # too short for a second attempt


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([200, 201, 302, 400, 429, 500]), st.binary(max_size=60))
def test_calls_when_answered_with_any_bytes_raise_nothing_but_upstream_errors(anything, status, body) -> None:
    Anything.reply = answer(body, status)

    for call in (buy, Client.balance, Client.services):
        with suppress(UpstreamError):
            call(anything)
