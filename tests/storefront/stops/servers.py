"""Real web processes for tests of how they stop, and of what becomes of pages while something else is away."""

import http.client
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from storefront.demo.processes import Child, Processes, free_port
from tests.storefront.settings_source import ROOT
from tests.workers import database_url, wait_for

UP_SECONDS = 60.0


class Web:
    """Starts gunicorn on a port of its own with the shop's own configuration, and asks it.

    `code` is the folder of the shop that is served, `address` the one of this machine that it listens on.
    """

    def __init__(
        self, processes: Processes, folder: Path, *, code: Path = ROOT, address: str = "127.0.0.1", **environment: str
    ) -> None:
        self._processes, self._folder, self._code, self._address = processes, folder, code, address
        self.environment = {**os.environ, "DATABASE_URL": database_url(), "WEB_CONCURRENCY": "1", **environment}
        self.port = free_port()
        self._starts = 0
        self._callers = ThreadPoolExecutor(32)

    def start(self, *arguments: str, **environment: str) -> Child:
        """Start it with these arguments more, and return once it answers."""
        self._starts += 1
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "storefront.wsgi",
            "--bind",
            f"{self._address}:{self.port}",
            *arguments,
        ]
        log = self._folder / f"web.{self._starts}.log"
        child = self._processes.start(
            "web", command, log=log, environment={**self.environment, **environment}, folder=self._code
        )
        wait_for(lambda: self.live_seconds() is not None, f"gunicorn serves\n{child.tail()}", seconds=UP_SECONDS)
        self.get("/catalog/")  # the first page imports all others, which takes seconds of a processor
        return child

    def live_seconds(self) -> float | None:
        """Return how long /health/live took; None where nobody answered within five seconds."""
        began = time.monotonic()
        connection = http.client.HTTPConnection(self._address, self.port, timeout=5)
        try:
            connection.request("GET", "/health/live")
            return time.monotonic() - began if connection.getresponse().status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        """Ask for a page."""
        return self._ask("GET", path, **options)

    def call(self, **fields: Any) -> "Future[requests.Response]":
        """Call the API from a thread of its own."""
        return self._callers.submit(self._ask, "POST", "/api/v2", data=fields)

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the environment has no business here
            return session.request(
                method, f"http://{self._address}:{self.port}{path}", timeout=60, allow_redirects=False, **options
            )


class Watched:
    """Asks /health/live without pause, in a thread of its own, as long as its `with` lasts; `slowest` is in seconds."""

    def __init__(self, web: Web) -> None:
        self._web, self._over = web, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.slowest = 0.0
        self.answers = 0

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            seconds = self._web.live_seconds()
            self.slowest = max(self.slowest, 99.0 if seconds is None else seconds)
            self.answers += 1
            time.sleep(0.05)


def asked(sandbox: Any, action: str) -> Callable[[], int]:
    """Return a question: how many such calls have reached the supplier so far?"""
    return lambda: sum(request.get("action") == action for request in sandbox.requests)
