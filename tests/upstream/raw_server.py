"""A server of bare sockets: misbehaves in ways that a real HTTP server cannot be talked into."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Self
from urllib.parse import parse_qs

from upstream.client import Client
from upstream.protocol.wire import PlacedOrder

KEY = "raw-server-key/+ü"


class Received(NamedTuple):
    connection: int  # the first connection is 1
    form: dict[str, str]


def answer(body: str | bytes, status: int = 200, headers: str = "", length: int | None = None) -> bytes:
    """Return a whole HTTP answer; a `length` that is not the body's makes it a half one."""
    content = body.encode() if isinstance(body, str) else body
    size = len(content) if length is None else length
    return f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\n{headers}\r\n".encode() + content


class RawServer:
    """Calls `behave(sock, received)` for each request; a falsy return keeps the connection open."""

    def __init__(self, behave: Callable[[socket.socket, Received], object]) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/api/v2"
        self.received: list[Received] = []
        self.connections = 0
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in [self._listener, *self._open]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock: socket.socket, connection: int) -> None:
        with suppress(OSError):
            reader = sock.makefile("rb")
            while lengths := [line[15:] for line in self._head(reader) if line.lower().startswith(b"content-length:")]:
                length = int(lengths[0])
                form = {name: values[0] for name, values in parse_qs(reader.read(length).decode()).items()}
                received = Received(connection, form)
                self.received.append(received)
                if self._behave(sock, received):
                    break
            reader.close()
            sock.close()

    @staticmethod
    def _head(reader: socket.SocketIO) -> list[bytes]:
        lines = []
        while (line := reader.readline()) not in (b"\r\n", b""):
            lines.append(line)
        return lines


def say(reply: bytes) -> Callable[[socket.socket, Received], object]:
    """Return a behaviour: always this answer, over a connection that stays open."""
    return lambda sock, _: sock.sendall(reply)


def say_in_turn(*replies: bytes) -> Callable[[socket.socket, Received], object]:
    """Return a behaviour: the answers one after the other, then the last one for ever."""
    left = list(replies)
    return lambda sock, _: sock.sendall(left.pop(0) if len(left) > 1 else left[0])


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
