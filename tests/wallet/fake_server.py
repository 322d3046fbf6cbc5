"""What the fake gateways share: a small HTTP server on a free port of this machine, in a thread of its own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FakeServer:
    """Answers through `answer(method, path, query, headers, body)` → (status, JSON). Every call is kept in `calls`.

    `silent` makes it hang up without an answer, `broken` answers 500; both until they are reset.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.silent = False
        self.broken = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                url = urlsplit(self.path)
                fake.calls.append((self.command, url.path))
                if fake.silent:
                    self.close_connection = True
                    return
                status, answer = 500, {"error": {"message": "broken"}}
                if not fake.broken:
                    status, answer = fake.answer(self.command, url.path, parse_qs(url.query), self.headers, body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = _serve  # noqa: N815 - http.server looks for these names

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> tuple[int, Any]:
        raise NotImplementedError

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
