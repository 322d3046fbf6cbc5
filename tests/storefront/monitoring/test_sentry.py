"""What leaves for Sentry: an error, where it happened, and no secret."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.storefront.monitoring.programs import run

START = "import django; django.setup()"
# A program of its own: what is begun for Sentry stays for the rest of a process.
FAIL = """
import django
django.setup()
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
import sentry_sdk
from django.urls import path
from storefront import urls

def broken(request):
    held = "local-variable-secret"
    raise RuntimeError("it broke with upstream-key-in-text at redis://:hidden-password@redis:6379/0")

urls.urlpatterns.insert(0, path("broken/", broken))
settings.MIDDLEWARE = []  # no database is needed for this
told = {"HTTP_AUTHORIZATION": "Bearer header-secret", "HTTP_COOKIE": "shopping=cookie-secret", "HTTP_HOST": "localhost"}
request = RequestFactory().post(
    "/broken/?token=query-secret", {"password": "body-secret"}, REMOTE_ADDR="203.0.113.77", **told
)
get_wsgi_application()(request.environ, lambda *answered: None)
sentry_sdk.flush(10)
"""


@pytest.fixture
def received() -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes events, its DSN and their bodies."""
    bodies: list[bytes] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://public@127.0.0.1:{server.server_port}/1", bodies
        server.shutdown()


def test_error_when_a_dsn_is_set_arrives_without_any_secret(received):
    dsn, bodies = received

    done = run(FAIL, SENTRY_DSN=dsn)

    assert bodies, done.stderr
    event = json.loads(next(line for line in bodies[0].splitlines() if b'"exception"' in line))
    [error] = event["exception"]["values"][-1:]
    assert error["type"] == "RuntimeError"
    assert error["value"].startswith("it broke with ")
    assert error["stacktrace"]["frames"][-1]["function"] == "broken"
    assert event["request"] == {"method": "POST", "url": "http://localhost/broken/"}
    everything = b"".join(bodies).decode()
    for kind in ("local-variable", "cookie", "query", "body", "header"):
        assert f"{kind}-secret" not in everything
    for secret in ("upstream-key-in-text", "hidden-password", "203.0.113.77"):
        assert secret not in everything


def test_sentry_when_no_dsn_is_set_is_not_even_imported():
    program = "import django, sys; django.setup(); import storefront.wsgi; print('sentry_sdk' in sys.modules)"

    assert run(program, SENTRY_DSN="").stdout.strip() == "False"


@pytest.mark.parametrize(
    ("program", "dsn", "words"),
    [
        ("import sys; sys.modules['sentry_sdk'] = None\n" + START, "https://key@x.org/1", "requirements/sentry.txt"),
        (START, "nonsense", "https://key@sentry.example.com/1"),
    ],
    ids=["package missing", "no address"],
)
def test_sentry_when_it_cannot_begin_stops_the_start_with_the_settings_name(program, dsn, words):
    done = run(program, SENTRY_DSN=dsn)

    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: SENTRY_DSN")
    assert words in last
