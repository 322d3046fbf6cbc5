"""A new owner sets up an empty shop in a browser: a wrong key, mail that fails, left in the middle, gone on, opened."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from preferences.doors import SET_UP_DONE
from storefront.demo.processes import free_port
from storefront.models import SetUpStep
from storefront.tasks import beat_heartbeat
from tests.browser.test_api_pages import DESK, fits, visitor
from tests.warm import WarmProcesses
from tests.workers import Workers

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]
NARROW = {"width": 360, "height": 800}


@pytest.fixture
def address(transactional_db: None, live_server: LiveServer, settings: Any, sandbox: Any) -> str:
    """An empty shop that is closed to strangers, with mail that goes nowhere and a key that is wrong."""
    settings.SITE_URL = live_server.url
    settings.BEGINS_CLOSED = True
    settings.UPSTREAM_KEY = "no-such-key"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    beat_heartbeat()
    return live_server.url


def card(page: Page, name: str) -> Any:
    return page.locator(f"#{name}")


def state(page: Page, name: str) -> Any:
    return card(page, name).locator("summary")


def unfold(page: Page, name: str) -> Any:
    found = card(page, name)
    if found.get_attribute("open") is None:
        found.locator("summary").click()
    return found


def well_read(page: Page, leave_out: str = "#nothing") -> None:
    """Assert that the page fits and is read aloud, but for parts that the theme makes alone."""
    assert fits(page)
    context = {"include": [["#content"]], "exclude": [[leave_out]]}
    found = Axe().run(page, context=context, options={"preload": False}).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []


def test_a_new_owner_sets_up_an_empty_shop(
    browser: Browser, address: str, sam: User, tom: User, settings: Any, tmp_path: Path
) -> None:
    for page in visitor(browser, address, viewport=DESK):
        assert page.goto("/").status == 503

    for page in visitor(browser, address, sam, viewport=DESK):
        page.goto("/admin/")
        page.get_by_role("link", name="Go on with the set-up").click()
        page.wait_for_url("**/admin/set-up/")
        well_read(page)

        found = unfold(page, "store")
        found.get_by_label("Name of the shop").fill("Corner shop")
        found.get_by_label("Support email").fill("help@corner.shop")
        found.get_by_role("button", name="Save").click()
        expect(state(page, "store")).to_contain_text("Done")

        found = unfold(page, "upstream")
        found.get_by_role("button", name="Try it out").click()
        expect(state(page, "upstream")).to_contain_text("Failed")
        expect(unfold(page, "upstream")).to_contain_text("Invalid API key")

        found = unfold(page, "e-mail")
        found.get_by_role("button", name="Send me a test email").click()
        expect(state(page, "e-mail")).to_contain_text("Failed")
        expect(unfold(page, "e-mail")).to_contain_text("refused")
        well_read(page)

    # The variables are mended and the shop restarted; somebody else who owns it goes on.
    settings.UPSTREAM_KEY = os.environ["UPSTREAM_KEY"]
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", tmp_path
    for page in visitor(browser, address, tom, viewport=NARROW, color_scheme="dark"):
        page.goto("/admin/set-up/")
        expect(state(page, "store")).to_contain_text("Done")
        well_read(page)
        unfold(page, "upstream").get_by_role("button", name="Try it out").click()
        expect(state(page, "upstream")).to_contain_text("Done")
        call_command("sync_catalog", verbosity=0)  # as a worker does it
        page.goto("/admin/set-up/")
        expect(state(page, "catalog")).to_contain_text("Done")

        found = unfold(page, "markup")
        found.get_by_label("Default markup").fill("100")
        expect(found.locator("#set-up-prices")).to_contain_text("+100.0")
        well_read(page)
        found.get_by_role("button", name="Save").click()
        expect(state(page, "markup")).to_contain_text("Done")
        unfold(page, "payments").get_by_role("button", name="Put off").click()
        expect(state(page, "payments")).to_contain_text("Put off")
        unfold(page, "e-mail").get_by_role("button", name="Send me a test email").click()
        expect(state(page, "e-mail")).to_contain_text("Done")
        assert f"To: {tom.email}" in "".join(path.read_text() for path in tmp_path.iterdir())
        found = unfold(page, "machine")
        found.get_by_role("button", name="Put off").click()
        expect(state(page, "machine")).to_contain_text("Put off")

        page.get_by_role("button", name="Open the shop").click()
        page.wait_for_url("**/admin/")
        expect(page.get_by_text("The shop is open.")).to_be_visible()
        page.goto("/admin/set-up/")
        assert page.url.endswith("/admin/")
        expect(page.get_by_text("Go on with the set-up")).to_have_count(0)

    assert SET_UP_DONE.value
    assert SetUpStep.objects.count() == 6
    for page in visitor(browser, address, viewport=DESK):
        assert page.goto("/").status == 200
        expect(page.get_by_role("link", name="Corner shop").first).to_be_visible()


@pytest.mark.parametrize(("window", "scheme"), [(NARROW, "light"), (DESK, "dark")])
def test_every_step_fits_and_is_read_aloud(browser: Browser, address: str, sam: User, window: Any, scheme: str) -> None:
    for page in visitor(browser, address, sam, viewport=window, color_scheme=scheme):
        page.goto("/admin/set-up/")
        page.evaluate("document.querySelectorAll('#content details').forEach((step) => (step.open = true))")
        well_read(page)


def test_the_first_sync_is_watched_beside_the_suppliers_key(
    browser: Browser, address: str, sam: User, settings: Any, tmp_path: Path
) -> None:
    settings.UPSTREAM_KEY = os.environ["UPSTREAM_KEY"]
    with WarmProcesses() as processes:
        Workers(processes, tmp_path, DEBUG="true", SITE_URL=address).worker()
        for page in visitor(browser, address, sam, viewport=DESK):
            page.goto("/admin/set-up/")
            unfold(page, "markup")
            expect(page.locator("#set-up-prices table")).to_have_count(0)
            unfold(page, "upstream").get_by_role("button", name="Try it out").click()
            expect(state(page, "upstream")).to_contain_text("Done")
            unfold(page, "markup")

            # Nothing is pressed or loaded again.
            expect(page.locator("#set-up-sync")).to_contain_text("60 rows", timeout=60_000)
            expect(state(page, "catalog")).to_contain_text("Done", timeout=60_000)
            expect(page.locator("#set-up-prices table")).to_be_visible(timeout=60_000)
        processes.kill()
