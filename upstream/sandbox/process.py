"""A handle on a sandbox that runs as a process of its own: for tests, the demo and measurements."""

import atexit
import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import requests

from upstream.sandbox.store import forget

if TYPE_CHECKING:
    from upstream.client import Client

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 10.0
CONTROL_SECONDS = 60.0


class SandboxFailed(Exception):
    """The sandbox did not start, or refused what was asked of it."""


class Sandbox:
    """A running stand-in upstream. `url` is the whole endpoint, `key` its API key.

    The process ends with `stop`, with this interpreter, or when this interpreter dies: it watches its stdin.
    """

    url: str
    key: str
    control_url: str

    def __init__(self, arguments: dict[str, Any], *, state: Path | None, profiles: Sequence[str] = ()) -> None:
        """Use `start`."""
        self._temporary = state is None
        self._state = _temporary_file() if state is None else state
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business here
        self._launch(profiles)
        _running.add(self)

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        services: int = 200,
        seed: int = 1,
        state: Path | None = None,
        speed: float = 1.0,
        profiles: Sequence[str] = (),
    ) -> Self:
        """Start a sandbox and return when it answers.

        Port 0 means a free one; without a state file everything is forgotten at the end. `profiles` names manners of
        suppliers (see `upstream.sandbox.profiles`); `set(profiles=[...])` changes them later.
        Raises SandboxFailed when it does not come up.
        """
        return cls({"port": port, "services": services, "seed": seed, "speed": speed}, state=state, profiles=profiles)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- The process -----------------------------------------------------------------------------------------------
    @property
    def pid(self) -> int:
        """The id of the sandbox process. Raises SandboxFailed when none runs."""
        if self._process is None:
            raise SandboxFailed("the sandbox is stopped")
        return self._process.pid

    def stop(self) -> None:
        """End the process and forget its temporary state."""
        self.halt()
        _running.discard(self)
        self._session.close()
        if self._temporary:
            forget(self._state)

    def halt(self, *, kill: bool = False) -> None:
        """End the process, with SIGKILL if asked, and keep its state: `resume` goes on from there."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.kill() if kill else process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)
        if process.stdin is not None:
            process.stdin.close()

    def resume(self) -> None:
        """Start the process again on the same port and state; faults and the log of calls are gone."""
        if self._process is None:
            self._launch()

    def _launch(self, profiles: Sequence[str] = ()) -> None:
        ready, ready_child = os.pipe()
        command = [sys.executable, "-m", "upstream.sandbox", "--state", str(self._state), "--control-port", "0"]
        command += ["--watch-stdin", "--ready-fd", str(ready_child), *(["--forget"] if self._temporary else [])]
        for name, value in self._arguments.items():
            command += [f"--{name}", str(value)]
        # Only at first: later the state file knows better what was set meanwhile.
        for name in profiles:
            command += ["--profile", name]
        try:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, pass_fds=(ready_child,), start_new_session=True
            )
        finally:
            os.close(ready_child)
        with os.fdopen(ready, "rb") as pipe:
            readable, _, _ = select.select([pipe], [], [], START_SECONDS)
            output = pipe.read() if readable else b""
        if not output:
            self.halt(kill=True)
            raise SandboxFailed("the sandbox did not start; what it said is on stderr")
        addresses = msgspec.json.decode(output, type=dict[str, str])
        self.url, self.key = addresses["url"], addresses["key"]
        self.control_url = addresses["control"]
        self._arguments["port"] = int(self.url.split(":")[2].split("/")[0])

    # --- Control ---------------------------------------------------------------------------------------------------
    def _control(self, method: str, path: str, fields: dict[str, Any] | None = None) -> Any:
        reply = self._session.request(
            method,
            self.control_url + path,
            data=None if fields is None else msgspec.json.encode(fields, enc_hook=str),
            timeout=CONTROL_SECONDS,
        )
        result = msgspec.json.decode(reply.content)
        if reply.status_code != 200:
            raise SandboxFailed(result["error"])
        return result

    def reset(
        self,
        *,
        services: int | None = None,
        seed: int | None = None,
        balance: str = "1000.00",
        speed: float | None = None,
    ) -> None:
        """Forget orders, money, edits, faults and the log; None means as the process was started."""
        fields = {"services": services, "seed": seed, "balance": balance, "speed": speed}
        self._control("POST", "reset", fields)

    def set(self, **settings: Any) -> dict[str, Any]:
        """Change settings (speed, latency_seconds, code_delay_seconds, profiles…); return them all."""
        result: dict[str, Any] = self._control("POST", "settings", settings)
        return result

    def fail_next(self, name: str, *, action: str | None = None, times: int = 1, **options: Any) -> None:
        """Let the next `times` calls (of one action, or of any) fail; see `faults` for names and options.

        `refuse_connections` counts no calls: it begins at once and lasts `seconds`, or until `clear_faults`.
        """
        self._control("POST", "faults", {"name": name, "action": action, "times": times, **options})

    def fail_rate(self, name: str, rate: float, *, action: str | None = None, **options: Any) -> None:
        """Let a share of the calls fail, drawn from a seeded generator, until `clear_faults`."""
        self._control("POST", "faults", {"name": name, "action": action, "rate": rate, **options})

    def clear_faults(self) -> None:
        """Take all faults away and listen again."""
        self._control("DELETE", "faults")

    @property
    def struck(self) -> dict[str, int]:
        """How many calls each fault has struck since the process was started or resumed."""
        result: dict[str, int] = self._control("GET", "")["struck"]
        return result

    @property
    def orders(self) -> list[dict[str, Any]]:
        """Everything that was really placed, oldest first."""
        result: list[dict[str, Any]] = self._control("GET", "orders")
        return result

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The calls that arrived, oldest first, without keys; the last few thousand."""
        result: list[dict[str, Any]] = self._control("GET", "requests")
        return result

    def books(self) -> dict[str, Any]:
        """Return opening + adjusted − charges + returned = balance as texts, and `adds_up`."""
        result: dict[str, Any] = self._control("GET", "books")
        return result

    def set_balance(self, text: str) -> None:
        """Set the account's balance."""
        self._control("POST", "balance", {"balance": text})

    def set_order(self, order_id: int | str, **fields: Any) -> dict[str, Any]:
        """Set status, remains, charge, start_count or accounts of an order; a set status moves the money too."""
        result: dict[str, Any] = self._control("POST", f"orders/{order_id}", fields)
        return result

    def set_number(self, order_id: int | str, **fields: Any) -> dict[str, Any]:
        """Set status, phone, country, code, sms_content, charge or expires_at of a number."""
        return self.set_order(order_id, **fields)

    def deliver_code(self, order_id: int | str, code: str, text: str) -> None:
        """Let a code arrive on a number, now."""
        self._control("POST", f"orders/{order_id}/code", {"code": code, "text": text})

    def service(self, service_id: int) -> dict[str, Any]:
        """Return a service on sale with the fields that never go out: subcategory, kind, rate_per."""
        result: dict[str, Any] = self._control("GET", f"services/{service_id}")
        return result

    def add_service(self, **fields: Any) -> int:
        """Put a service on sale and return its id; what is not given gets a usual value."""
        result: int = self._control("POST", "services", fields)["service"]
        return result

    def set_service(self, service_id: int, **fields: Any) -> None:
        """Change a service (rate, stock, name, type…); a stock of None leaves the field out."""
        self._control("POST", f"services/{service_id}", fields)

    def remove_service(self, service_id: int) -> None:
        """Take a service off sale."""
        self._control("DELETE", f"services/{service_id}")

    def restore_service(self, service_id: int) -> None:
        """Put a removed service back on sale."""
        self._control("POST", f"services/{service_id}/restore", {})

    def set_project(self, project_id: str, **fields: Any) -> None:
        """Change an SMS project: price, name, available (how many numbers are left), removed."""
        self._control("POST", f"projects/{project_id}", fields)

    def client(self, **overrides: Any) -> "Client":
        """Return a client of this sandbox; `key`, `base_url` and `timeout_seconds` can be overridden."""
        from upstream.client import Client  # leaf: the sandbox itself never needs the client

        return Client(**{"base_url": self.url, "key": self.key, "timeout_seconds": 10, **overrides})


def _temporary_file() -> Path:
    handle, name = tempfile.mkstemp(prefix="hstockplus-sandbox-", suffix=".sqlite3")
    os.close(handle)
    return Path(name)


_running: "weakref.WeakSet[Sandbox]" = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for sandbox in list(_running):
        if time.monotonic() < deadline:
            with contextlib.suppress(Exception):
                sandbox.stop()
