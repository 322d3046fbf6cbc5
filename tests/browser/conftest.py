"""A whole shop for a browser: web server, worker and beat as processes, the sandbox upstream, a real Chromium."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from catalog.models import Service
from sms.models import Project
from storefront.demo.processes import free_port
from storefront.demo.setup import confirm_sandbox_units
from tests.provision import chromium
from tests.warm import WarmProcesses
from tests.workers import Workers, wait_for

SYNC_TRIES = 6


@dataclass(frozen=True)
class Shop:
    """A running shop: its address, and the folder its e-mails are written to."""

    url: str
    mail: Path

    def mails_to(self, address: str) -> list[str]:
        """Return the texts of the mails to this address, oldest first."""
        texts = [path.read_text() for path in sorted(self.mail.glob("*.log"), key=lambda path: path.stat().st_mtime)]
        return [text for text in texts if f"To: {address}" in text]


@pytest.fixture
def profiles() -> tuple[str, ...]:
    """The manners of the supplier; a test that wants other ones parametrizes this name."""
    return ()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Where each shop of this process is, so that one warm process does for all: its address and its mails."""
    return Shop(f"http://127.0.0.1:{free_port()}", tmp_path_factory.mktemp("mail"))


@pytest.fixture
def shop(
    transactional_db: None, sandbox: Any, tmp_path: Path, profiles: tuple[str, ...], place: Shop
) -> Iterator[Shop]:
    """A shop with a synced catalog, whose upstream finishes everything within seconds."""
    sandbox.reset(services=60, seed=1, balance="1000.00", speed=60)
    sandbox.set(partial_rate=0, canceled_rate=0, codeless_rate=0, code_delay_seconds=60, profiles=profiles)
    _sync("sync_catalog", Service)
    _sync("sync_sms", Project)
    confirm_sandbox_units()
    for letter in place.mail.iterdir():
        letter.unlink()
    with WarmProcesses() as processes:
        environment = {"SITE_URL": place.url, "EMAIL_URL": f"filemail://{place.mail}"}
        workers = Workers(processes, tmp_path, STORE_NAME="Corner shop", DEBUG="true", **environment)
        web = ["gunicorn", "storefront.wsgi", "--bind", place.url.removeprefix("http://"), "--threads", "8"]
        processes.start_warm("web", web, log=tmp_path / "web.log", environment=workers.environment)
        workers.worker()
        workers.beat()
        wait_for(lambda: _answers(f"{place.url}/health/live"), "the web server answers")
        yield place
        processes.kill()  # it would take seconds to stop in order, and nobody waits for what they still do


def _sync(command: str, model: type[Service | Project]) -> None:
    """Sync until there is something to sell: an answer that is damaged as a whole is not taken, and asked for again."""
    for _try in range(SYNC_TRIES):
        with suppress(CommandError):
            call_command(command, verbosity=0)
        if model._default_manager.exists():
            return
    raise AssertionError(f"{command} brought nothing")


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


@pytest.fixture
def browser(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A Chromium for one test: for as long as Playwright runs, its event loop occupies the test's thread."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Django would take that loop for asynchronous code
    with sync_playwright() as playwright:
        options = {"executable_path": chromium.executable(), "args": chromium.launch_arguments()}
        with playwright.chromium.launch(**options) as running:
            yield running


def _is_ours(message: ConsoleMessage) -> bool:
    # axe tries inline styles to measure contrast, which our content policy rightly refuses.
    return message.type == "error" and "inline style" not in message.text


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    """A page of a new visitor; errors in its console or scripts fail the test."""
    with browser.new_context(reduced_motion="reduce", base_url=shop.url, locale="en-US") as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
        page.on("console", lambda message: complaints.append(message.text) if _is_ours(message) else None)
        yield page
        assert complaints == []
