"""A PostgreSQL that is restarted: words and "come back" meanwhile, and then web and workers go on by themselves."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from orders.models import Order, Status
from tests.storefront.settings_source import ROOT
from tests.storefront.stops.neighbours import Line
from tests.storefront.stops.servers import Watched, Web
from tests.workers import Workers, database_url, wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about a server that can be away"),
]
LIVE_SECONDS = 2.5  # the promise is a second; the machine of the tests is busy


@pytest.fixture
def line() -> Iterator[Line]:
    """The way to the database, which can be cut."""
    to = urlsplit(database_url())
    with Line(to.hostname or "127.0.0.1", to.port or 5432) as one:
        yield one


def behind(line: Line) -> str:
    """Return the DATABASE_URL that leads over the line."""
    parts = urlsplit(database_url())
    return parts._replace(netloc=f"{parts.username}:{parts.password or ''}@127.0.0.1:{line.port}").geturl()


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """What web has in production and not in tests: its own error pages, and static files that are collected."""
    return {
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_ENCRYPTION_KEYS": settings.FIELD_ENCRYPTION_KEYS[0],
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
        "STATIC_ROOT": str(tmp_path / "static"),
    }


def collect(web: Web, environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**web.environment, **environment}, check=True)


def test_web_when_the_database_is_away_then_pages_say_so_and_answer_again_once_it_is_back(
    web: Web, line: Line, production: dict[str, str], sandbox: Any, key: str, service: Any
) -> None:
    browser = Client()
    browser.force_login(User.objects.get())
    session = {settings.SESSION_COOKIE_NAME: browser.cookies[settings.SESSION_COOKIE_NAME].value}
    collect(web, production)
    web.start(**production, DATABASE_URL=behind(line))
    buy = {"key": key, "action": "add", "service": service.pk, "link": "https://x.com/a", "quantity": 100}
    assert "order" in web.call(**buy).result(30).json()
    with Watched(web) as watched:
        line.cut()

        page, ready = web.get("/orders/", cookies=session), web.get("/health/ready")
        refused = web.call(**buy).result(30)

        line.restore()
        wait_for(lambda: web.get("/health/ready").status_code == 200, "it can sell again")
        assert web.get("/orders/", cookies=session).status_code == 302  # signed with another key: to sign in
        assert "order" in web.call(**buy).result(30).json()

    assert watched.slowest < LIVE_SECONDS
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert "load the page again" in page.text
    assert (ready.status_code, ready.json()["database"]) == (503, "failed")
    assert (refused.json()["error"], refused.headers["Retry-After"]) == (
        "Temporarily unavailable, try again in a moment; after an order, look first whether it was placed",
        "10",
    )
    assert Order.objects.count() == 2


@pytest.mark.broker
def test_worker_when_the_database_was_away_in_the_middle_of_a_purchase_then_it_is_recorded_and_the_worker_goes_on(
    workers: Workers, line: Line, place: Any, sandbox: Any, books_add_up: Any
) -> None:
    sandbox.fail_next("slow", action="add", seconds=2)
    workers.environment["DATABASE_URL"] = behind(line)
    workers.worker()
    workers.beat()
    place(link="https://instagram.com/first")
    wait_for(lambda: Order.objects.get().status == Status.SENDING, "the purchase is on its way")

    line.cut()
    wait_for(lambda: sandbox.orders, "the supplier has it")
    line.restore()

    wait_for(lambda: Order.objects.get().status == Status.PENDING, "its answer is written down")
    place(link="https://instagram.com/second")
    wait_for(lambda: Order.objects.filter(status=Status.PENDING).count() == 2, "the worker goes on")
    books_add_up(sandbox)
