"""A customer's own server: takes webhooks on a real socket, keeps what came, and answers as it is told."""

import hashlib
import hmac
import json
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self

OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Check the signature as the documentation tells a customer to."""
        parts = [part.partition("=") for part in self.headers["x-webhook-signature"].split(",")]
        moment = next(value for name, _, value in parts if name == "t")
        expected = hmac.new(secret.encode(), moment.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return any(hmac.compare_digest(value, expected) for name, _, value in parts if name == "v1")


class Receiver:
    """Serves on 127.0.0.1 until the end of the `with`. `answer` gets the socket's file and may write what it likes."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Any], None] = lambda out: out.write(OK)
        self.max_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver._lock:
                    receiver.received.append(Received(self.path, headers, body))
                    receiver._at_once += 1
                    receiver.max_at_once = max(receiver.max_at_once, receiver._at_once)
                try:
                    receiver.answer(self.wfile)
                except OSError:
                    pass  # the sender had enough
                finally:
                    with receiver._lock:
                        receiver._at_once -= 1
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def says(self, status: int, *, body: bytes = b"", headers: str = "") -> None:
        """Answer this from now on."""
        head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
        self.answer = lambda out: out.write(head + body)

    def takes_its_time(self, seconds: float) -> None:
        """Answer well, but late."""

        def late(out: Any) -> None:
            time.sleep(seconds)
            out.write(OK)

        self.answer = late

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
