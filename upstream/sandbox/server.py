"""The sandbox over HTTP/1.1: keep-alive, a thread per connection, and the faults that happen on the wire."""

import contextlib
import http.client
import random
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from upstream.sandbox import texts
from upstream.sandbox.api import answer
from upstream.sandbox.control import Gate, NotThere, control
from upstream.sandbox.faults import Fault
from upstream.sandbox.profiles import HOSTILE
from upstream.sandbox.profiles.hostile import damaged
from upstream.sandbox.world import World

API_PATH = "/api/v2"
BACKLOG = 256
IDLE_SECONDS = 120
LARGEST_BODY = 4 * 1024 * 1024
GARBAGE = "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>"
# Carried out before the answer goes wrong; the other faults strike before anything was done.
STRIKES_AFTER = frozenset({"slow", "lose_reply", "500_after", "garbage", "half_body"})


class Hangup(Exception):
    """The connection is closed without an answer."""


class Listener(Gate):
    """A listening socket with its connections. It can refuse connections and come back on the same port."""

    def __init__(self, world: World, host: str, port: int, *, api: bool = True, gate: Gate | None = None) -> None:
        self.world = world
        self.api = api
        self.gate = gate or self
        self._change = threading.Lock()
        self._connections: dict[socket.socket, bool] = {}  # socket → busy with a request
        self._timer: threading.Timer | None = None
        self._socket = self._bound(host, port)
        self.host, self.port = host, self._socket.getsockname()[1]
        self.refusing = False
        self._open(self._socket)

    @property
    def address(self) -> str:
        """The address without a path."""
        return f"http://{self.host}:{self.port}"

    def refuse(self, seconds: float | None) -> None:
        """Stop listening, for some seconds or until `listen`; idle connections close, busy ones after their answer."""
        with self._change:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not self.refusing:
                self.refusing = True
                old = self._socket
                with contextlib.suppress(OSError):
                    old.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
                old.close()
                # Bound but not listening: connections are refused, and nobody else gets the port.
                self._socket = self._bound(self.host, self.port)
            for connection, busy in list(self._connections.items()):
                if not busy:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
            if seconds is not None:
                self._timer = threading.Timer(float(seconds), self.listen)
                self._timer.daemon = True
                self._timer.start()

    def listen(self) -> None:
        """Listen again, if nobody listens."""
        with self._change:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self.refusing:
                self.refusing = False
                self._open(self._socket)

    def mark(self, connection: socket.socket, *, busy: bool) -> None:
        """Remember whether a connection is in the middle of a request."""
        with self._change:
            if connection in self._connections:
                self._connections[connection] = busy

    @staticmethod
    def _bound(host: str, port: int) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        return bound

    def _open(self, listening: socket.socket) -> None:
        listening.listen(BACKLOG)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, address = listening.accept()
            except OSError:  # closed by `refuse`
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._change:
                self._connections[connection] = False
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection: socket.socket, address: Any) -> None:
        try:
            with contextlib.suppress(OSError):
                Handler(connection, address, self)  # type: ignore[arg-type]  # it only keeps it, as `server`
        finally:
            with self._change:
                del self._connections[connection]
            connection.close()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: Listener  # type: ignore[assignment]

    def do_POST(self) -> None:
        self._handle()

    def do_GET(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the control endpoint has the log."""

    def _handle(self) -> None:
        listener = self.server
        listener.mark(self.connection, busy=True)
        try:
            path = urlsplit(self.path).path
            body = self._body()
            if path == "/control" or path.startswith("/control/"):
                self._control(path.removeprefix("/control"), body)
            elif listener.api and path.rstrip("/") == API_PATH:
                self._api(body)
            else:
                self._send(404, msgspec.json.encode({"error": "Not found"}))
        except Hangup:
            self.close_connection = True
        finally:
            listener.mark(self.connection, busy=False)
            if listener.refusing:
                self.close_connection = True

    def _body(self) -> bytes:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if "Transfer-Encoding" in self.headers or not 0 <= length <= LARGEST_BODY:
            self.close_connection = True  # where the body ends is not known, so the next request is not either
            self._send(413, msgspec.json.encode({"error": "Body with a plain Content-Length expected"}))
            raise Hangup
        return self.rfile.read(length)

    # --- Control ---------------------------------------------------------------------------------------------------
    def _control(self, path: str, body: bytes) -> None:
        listener = self.server
        try:
            fields = msgspec.json.decode(body, type=dict[str, Any]) if body else {}
            result, status = control(listener.world, listener.gate, self.command, path, fields), 200
        except NotThere as error:
            result, status = {"error": f"not there: {error}"}, 404
        except (ValueError, TypeError, KeyError, msgspec.ValidationError) as error:
            result, status = {"error": str(error) or repr(error)}, 400
        self._send(status, msgspec.json.encode(result))

    # --- The API ---------------------------------------------------------------------------------------------------
    def _api(self, body: bytes) -> None:
        if self.command != "POST":
            self._send(405, msgspec.json.encode({"error": texts.METHOD_NOT_ALLOWED}))
            return
        world, started = self.server.world, time.monotonic()
        epoch = world.epoch
        params = _params(body, self.headers.get("Content-Type", ""))
        action = params.get("action", "")
        fault = world.faults.take(action)
        # Every key from the start: the list may be read while this call goes on.
        entry: dict[str, Any] = {
            "at": "",
            "action": action,
            "params": {name: value for name, value in params.items() if name not in ("key", "action")},
            "fault": fault.name if fault else None,
            "outcome": "not answered yet",
            "damage": [],
            "seconds": None,
        }
        with world.lock:
            world.log(entry)
        try:
            self._wait(world.settings.latency_seconds)
            if fault is None or fault.name in STRIKES_AFTER:
                if fault is not None and fault.name == "slow":
                    self._wait(float(fault.options.get("seconds", 1)))
                reply = self._carry_out(epoch, params, entry)
            else:
                reply = b""
                entry["outcome"] = "not carried out"
            self._reply(fault, reply, entry)
        finally:
            entry["seconds"] = round(time.monotonic() - started, 4)

    @staticmethod
    def _wait(seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def _carry_out(self, epoch: int, params: dict[str, str], entry: dict[str, Any]) -> bytes:
        world = self.server.world
        with world.lock:
            if world.epoch != epoch:  # everything was reset while this call slept
                entry["outcome"] = "not carried out"
                raise Hangup
            reply, refusal = answer(world, params)
            entry["outcome"] = refusal or "ok"
            if world.has(HOSTILE):
                asked = repr(sorted(params.items()))
                world.answered[asked] += 1
                dice = random.Random(f"hostile:{world.seed}:{asked}:{world.answered[asked]}")
                reply, entry["damage"] = damaged(reply, params.get("action", ""), world.settings, dice)
            return reply

    def _reply(self, fault: Fault | None, reply: bytes, entry: dict[str, Any]) -> None:
        settings = self.server.world.settings
        name = fault.name if fault else "slow"
        options = fault.options if fault else {}
        if name == "slow":
            refused = entry["outcome"] != "ok"
            self._send(settings.error_status if refused else 200, reply)
        elif name == "refuse":
            error = options.get("text", texts.INTERNAL_ERROR)
            self._send(int(options.get("status", settings.error_status)), _error(error))
        elif name == "429":
            self._send(429, _error(options.get("text", texts.TOO_MANY_REQUESTS)))
        elif name in ("500_before", "500_after"):
            self._send_500(options.get("text"))
        elif name == "garbage":
            self._send(200, str(options.get("text", GARBAGE)).encode())
        else:
            self._break_off(name, options, reply)

    def _send_500(self, text: str | None) -> None:
        if text is not None:
            self._send(500, _error(text))
        else:
            self._send(500, b"<html><body><h1>500 Internal Server Error</h1></body></html>", "text/html")

    def _break_off(self, name: str, options: dict[str, Any], reply: bytes) -> None:
        if name == "refuse_connections":
            self.server.refuse(options.get("seconds"))
        if name == "half_body":
            head = self._head(200, len(reply), "application/json")
            self.connection.sendall(head + reply[: len(reply) // 2])
        if options.get("reset"):
            # Closing with a linger time of zero sends RST in place of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Hangup

    # --- Sending ---------------------------------------------------------------------------------------------------
    def _head(self, status: int, length: int, content_type: str) -> bytes:
        phrase = http.client.responses.get(status, "Answer")
        closing = "close" if self.close_connection or self.server.refusing else "keep-alive"
        return (
            f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {length}\r\nConnection: {closing}\r\n\r\n"
        ).encode()

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        # Head and body in one go: two small sends would wait for the other side's delayed acknowledgement.
        self.connection.sendall(self._head(status, len(body), content_type) + body)


def _error(text: str) -> bytes:
    return msgspec.json.encode({"error": text})


def _params(body: bytes, content_type: str) -> dict[str, str]:
    """Return the parameters of a form or JSON body as texts; a body that is neither has none."""
    if content_type.split(";")[0].strip().lower() == "application/json":
        try:
            fields = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.MsgspecError:
            return {}
        return {name: "" if value is None else str(value) for name, value in fields.items()}
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return {}
    return dict(pairs)
