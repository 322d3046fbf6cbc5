"""The client against servers that misbehave: what reached them, what it says about it, and how long it takes."""

import logging
import pickle
import socket
import struct
import threading
import time
import traceback
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.upstream.raw_server import KEY, RawServer, Received, answer, say, say_in_turn
from upstream.client import Client, default_client
from upstream.errors import (
    InvalidApiKey,
    NotPlaced,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    ServiceNotFound,
    Throttled,
    Unavailable,
    UpstreamError,
    UpstreamNotConfigured,
)
from upstream.wire import Balance, PlacedOrder

PLACED = answer('{"order": 23501}')
BALANCE = answer('{"balance": "100.00", "currency": "USD"}')


def client_of(server: RawServer, timeout_seconds: float = 5, **options: int) -> Client:
    return Client(server.url, KEY, timeout_seconds, **options)


def buy(client: Client) -> PlacedOrder:
    return client.add(service_id=1, link="https://example.com/post", quantity=100)


def reset(sock: socket.socket, _: Received) -> bool:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    return True


def hang_up(_sock: socket.socket, _: Received) -> bool:
    return True


def stay_silent(_sock: socket.socket, _: Received) -> None:
    time.sleep(3)


def drip(head: bytes, seconds: float = 3):
    """Send one byte every 50 ms: each arrives well within any time-out between bytes."""

    def behave(sock: socket.socket, _: Received) -> bool:
        sock.sendall(head)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sock.sendall(b"1")
            time.sleep(0.05)
        return True

    return behave


def half_body(sock: socket.socket, _: Received) -> bool:
    sock.sendall(answer('{"order": 23501}', length=400))
    return True


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


# --- Purchases: one request, and the right doubt --------------------------------------------------------------------
@pytest.mark.parametrize(
    "behave",
    [
        reset,
        hang_up,
        half_body,
        say(answer("<html>Bad gateway</html>", 502)),
        say(answer('{"error": "Insufficient balance"}', 500)),
        say(answer('{"order": 23501}', 500)),
        say(answer("<html>forbidden</html>", 403)),
        say(answer("garbage")),
        say(answer("")),
        say(answer('{"order": null}')),
        say(answer('{"order": 23501, "error": "Service not found"}')),
        say(answer("", 302, "Location: http://127.0.0.1:1/elsewhere\r\n")),
        say(answer('{"error": "Service not found"}', 301, "Location: /elsewhere\r\n")),
        say(answer('{"order": 1}', 302, "Location: http://[bad\r\n")),
        say(b"no HTTP at all\r\n\r\n"),
        say(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        say(b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
    ],
)
def test_add_when_the_answer_proves_nothing_is_unknown_and_was_sent_once(behave) -> None:
    with RawServer(behave) as server:
        with pytest.raises(OutcomeUnknown):
            buy(client_of(server))
        time.sleep(0.05)

        assert len(server.received) == 1


def test_add_when_the_answer_never_comes_is_unknown_within_the_bound() -> None:
    with RawServer(stay_silent) as server:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            buy(client_of(server, timeout_seconds=0.5))

        assert time.monotonic() - began < 1.0
        assert len(server.received) == 1


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 X\r\nX-Slow: ",
        b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
        b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n",
    ],
)
def test_calls_when_the_answer_drips_end_within_the_bound(head: bytes) -> None:
    with RawServer(drip(head)) as server:
        for call, error in ((buy, OutcomeUnknown), (Client.balance, Unavailable)):
            began = time.monotonic()
            with pytest.raises(error):
                call(client_of(server, timeout_seconds=0.5))

            assert 0.4 < time.monotonic() - began < 1.0

        assert len(server.received) == 2


def test_add_when_the_connection_is_refused_is_not_placed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NotPlaced, match="refused"):
        buy(Client(f"http://127.0.0.1:{port}/api/v2", KEY, 5))


def test_add_when_the_name_is_not_found_is_not_placed() -> None:
    with pytest.raises(NotPlaced):
        buy(Client("http://no-such-host.invalid/api/v2", KEY, 5))


def test_add_when_the_handshake_fails_is_not_placed() -> None:
    with RawServer(hang_up) as server, pytest.raises(NotPlaced):
        buy(Client(server.url.replace("http:", "https:"), KEY, 0.5))


def test_add_when_nobody_accepts_the_connection_is_not_placed_within_the_bound() -> None:
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):  # a full queue: further attempts hang in connecting
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)

        began = time.monotonic()
        with pytest.raises(NotPlaced):
            buy(Client(f"http://127.0.0.1:{listener.getsockname()[1]}/", KEY, 0.6))

        assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("status", [200, 400, 404])
def test_add_when_refused_in_words_raises_the_documented_class(status: int) -> None:
    with RawServer(say(answer('{"error": "Service not found"}', status))) as server:
        with pytest.raises(ServiceNotFound) as caught:
            buy(client_of(server))

        assert (caught.value.text, caught.value.http_status) == ("Service not found", status)
        assert len(server.received) == 1


def test_add_when_refused_in_other_words_keeps_the_text() -> None:
    with RawServer(say(answer('{"error": "Link is duplicate"}'))) as server, pytest.raises(Refused) as caught:
        buy(client_of(server))

    assert type(caught.value) is Refused
    assert str(caught.value) == "Link is duplicate"


def test_add_when_throttled_is_not_sent_again_and_says_when() -> None:
    with RawServer(say(answer("{}", 429, "Retry-After: 1\r\n"))) as server:
        with pytest.raises(Throttled) as caught:
            buy(client_of(server))

        assert caught.value.retry_after_seconds == 1.0
        assert len(server.received) == 1


def test_add_sms_when_the_answer_holds_no_number_is_unknown() -> None:
    with RawServer(say(answer('{"orders": []}'))) as server, pytest.raises(OutcomeUnknown):
        client_of(server).add_sms(project_id="65f")

    assert server.received[0].form == {"key": KEY, "action": "add_sms", "project_id": "65f", "quantity": "1"}


def test_calls_when_the_body_is_too_large_are_ended() -> None:
    with RawServer(say(answer("[" + "1," * 600_000 + "1]"))) as server:
        client = client_of(server, max_body_bytes=1_000_000)
        with pytest.raises(OutcomeUnknown, match="exceeds 1000000 bytes"):
            buy(client)
        with pytest.raises(Unavailable, match="exceeds 1000000 bytes"):
            client.balance()


# --- Connections that went stale ------------------------------------------------------------------------------------
def test_add_when_the_connection_was_idle_goes_out_over_a_new_one() -> None:
    """The server forgets idle connections without closing them, as a NAT or a balancer does: requests there vanish."""
    last_used: dict[int, float] = {}

    def forget_idle(sock: socket.socket, received: Received) -> bool:
        idle = time.monotonic() - last_used.get(received.connection, time.monotonic())
        last_used[received.connection] = time.monotonic()
        if idle < 3.0:
            sock.sendall(PLACED)
        return idle >= 3.0

    with RawServer(forget_idle) as server:
        client = client_of(server)
        buy(client)
        buy(client)
        time.sleep(3.1)

        assert buy(client) == PlacedOrder("23501")
        assert [received.connection for received in server.received] == [1, 1, 2]


def test_add_when_the_server_closed_the_connection_meanwhile_opens_a_new_one() -> None:
    def answer_and_close(sock: socket.socket, _: Received) -> bool:
        sock.sendall(PLACED)
        return True

    with RawServer(answer_and_close) as server:
        client = client_of(server)
        buy(client)
        time.sleep(0.1)
        buy(client)

        assert [received.connection for received in server.received] == [1, 2]


def test_add_when_a_kept_connection_dies_under_it_is_unknown_and_not_repeated() -> None:
    def die_on_the_second(sock: socket.socket, _: Received) -> bool:
        if len(server.received) == 1:
            sock.sendall(PLACED)
            return False
        return True

    with RawServer(die_on_the_second) as server:
        client = client_of(server)
        buy(client)
        with pytest.raises(OutcomeUnknown):
            buy(client)
        time.sleep(0.1)

        assert [received.connection for received in server.received] == [1, 1]


def test_add_when_the_call_before_ran_out_of_time_does_not_read_its_late_answer() -> None:
    """A late answer left on a connection would be taken for the answer to the next request."""

    def first_late(sock: socket.socket, _: Received) -> None:
        number = len(server.received)
        if number == 1:
            time.sleep(0.6)
        sock.sendall(answer(f'{{"order": {number}}}'))

    with RawServer(first_late) as server:
        client = client_of(server, timeout_seconds=0.4)
        with pytest.raises(OutcomeUnknown):
            buy(client)
        time.sleep(0.4)

        assert buy(client) == PlacedOrder("2")


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
    caplog.set_level(logging.DEBUG, logger="upstream.client")

    with RawServer(say(BALANCE)) as server:
        client_of(server).balance()

    (record,) = [record for record in caplog.records if record.name == "upstream.client"]
    assert (record.getMessage(), record.action, record.status, record.bytes) == ("upstream call", "balance", 200, 40)
    assert record.milliseconds >= 0


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
