"""Visitors who send as slowly as they can: the web process, as it is shipped, goes on serving others."""

import http.client
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storefront.demo.processes import Processes, free_port
from storefront.web import slow_clients
from tests.storefront.settings_source import ROOT
from tests.workers import database_url, wait_for

THREADS = 2
HEADS = {
    "head": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "body": b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na=",
}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[int]:
    """One process of gunicorn with the shop's own settings and few threads; its port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "storefront.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    environment = {**os.environ, "DATABASE_URL": database_url(), "WEB_THREADS": str(THREADS)}
    with Processes() as processes:
        processes.start("web", command, log=tmp_path / "web.log", environment=environment)
        wait_for(lambda: is_alive(port, seconds=2), "gunicorn serves", seconds=60)
        yield port


def is_alive(port: int, *, seconds: float) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_web_process_when_more_are_slow_than_it_has_threads_serves_others_all_the_same(web: int) -> None:
    longest = slow_clients.HEAD_SECONDS + slow_clients.BODY_SECONDS + 5
    with ExitStack() as held:
        slow = []
        for kind in ("head", "body", "head", "body"):
            sock = held.enter_context(socket.create_connection(("127.0.0.1", web), timeout=5))
            sock.sendall(HEADS[kind])
            slow.append(sock)
        began = time.monotonic()

        def drip() -> bool:
            for sock in slow:
                try:
                    sock.sendall(b"x")
                except OSError:  # hung up on, as it should be
                    continue
            return is_alive(web, seconds=1)

        wait_for(drip, "somebody else is served", seconds=2 * longest)

        assert time.monotonic() - began < longest


def test_gunicorn_is_started_with_the_worker_that_has_deadlines() -> None:
    configured: dict[str, object] = {}
    exec((ROOT / "gunicorn.conf.py").read_text(), configured)  # noqa: S102 - as gunicorn reads it

    assert configured["worker_class"] == "storefront.web.slow_clients.Worker"
    assert configured["threads"] == int(os.environ.get("WEB_THREADS") or 16)


HANGING_SHOP = """
import time
from storefront.wsgi import application as shop

def application(environ, start_response):
    if environ["PATH_INFO"] == "/hang":
        time.sleep(600)
    return shop(environ, start_response)
"""


@pytest.mark.django_db(transaction=True)
def test_web_process_whose_threads_all_hang_for_ever_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "hanging_shop.py").write_text(HANGING_SHOP)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "hanging_shop:application", "--pythonpath", str(tmp_path)]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--timeout", "2"]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "WEB_THREADS": str(THREADS),
        "UPSTREAM_TIMEOUT_SECONDS": "0.5",
    }
    with Processes() as processes, ExitStack() as held:
        processes.start("web", command, log=tmp_path / "web.log", environment=environment, folder=ROOT)
        wait_for(lambda: is_alive(port, seconds=2), "gunicorn serves", seconds=60)
        for _thread in range(THREADS):
            sock = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            sock.sendall(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)
        assert not is_alive(port, seconds=1)

        wait_for(lambda: is_alive(port, seconds=2), "another process serves", seconds=60)
