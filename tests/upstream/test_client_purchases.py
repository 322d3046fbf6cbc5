"""Purchases against servers that misbehave: sent once, doubted rightly, never over a stale connection."""

import socket
import time

import pytest

from tests.upstream.raw_server import (
    KEY,
    PLACED,
    RawServer,
    Received,
    answer,
    buy,
    client_of,
    drip,
    half_body,
    hang_up,
    reset,
    say,
    stay_silent,
)
from upstream.client import Client
from upstream.errors import (
    NotPlaced,
    OutcomeUnknown,
    Refused,
    ServiceNotFound,
    Throttled,
    Unavailable,
)
from upstream.protocol.wire import PlacedOrder


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
