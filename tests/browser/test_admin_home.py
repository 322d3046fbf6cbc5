"""The admin's home in a browser: triage by keyboard, plain links without a script, and narrow screens."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orders.models import AttentionFlag, ContractDrift
from tests.browser.test_api_pages import DESK, fits, visitor
from tests.orders.attention import flag
from tests.storefront.admin_rows import ask, make_order, make_service

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]
NARROW = {"width": 360, "height": 800}


@pytest.fixture
def waiting(ann: User) -> None:
    """An order, a question and a strange word, in this order."""
    long = "Instagram Followers | Real | Super-Long-Name-Without-Any-Spaces-In-It-At-All-Whatsoever | 365 Days Refill"
    order = make_order(ann, service=make_service(1), title=long, price_micros=90_000_000)
    flag(order, AttentionFlag.Code.OVERCHARGED)
    ask(ann, 1, order=make_order(ann, price_micros=20_000_000))
    ContractDrift.objects.create(subject="status_word", text="Sleeping" * 20, first_seen_at=timezone.now())


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent")


def test_home_is_triaged_by_keyboard(
    browser: Browser, live_server: LiveServer, settings: Any, sam: User, waiting: None
) -> None:
    settings.SITE_URL = live_server.url
    for page in visitor(browser, live_server.url, sam, viewport=DESK):
        page.goto("/admin/")
        for key, text in (
            ("j", "Instagram Followers"), ("j", "Question 1"), ("ArrowDown", "Sleeping"), ("j", "Sleeping"),
            ("k", "Question 1"), ("ArrowUp", "Instagram Followers"), ("k", "Instagram Followers"),
        ):  # fmt: skip
            page.keyboard.press(key)
            assert text in focused(page)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/support/ticket/*/change/")

        page.goto("/admin/")
        page.get_by_role("button", name="Search everything").click()
        typed = page.locator("#search-input-command")
        expect(typed).to_be_focused()
        page.keyboard.type("jk")
        expect(typed).to_have_value("jk")

        page.evaluate("localStorage.setItem('shortcuts-off', '1')")
        page.goto("/admin/")
        page.keyboard.press("j")
        assert "Instagram Followers" not in focused(page)[:200]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_home_fits_on_a_phone_and_is_read_aloud(
    browser: Browser, live_server: LiveServer, settings: Any, sam: User, waiting: None, scheme: str
) -> None:
    settings.SITE_URL = live_server.url
    for page in visitor(browser, live_server.url, sam, viewport=NARROW, color_scheme=scheme):
        for address in ("/admin/", "/admin/advanced/", "/admin/orders/order/?attention=yes"):
            page.goto(address)
            expect(page.locator("#main")).to_be_visible()
            assert fits(page), address
        page.goto("/admin/")
        page.locator("summary").click()
        assert fits(page)
        found = Axe().run(page, context="#content", options={"preload": False}).response["violations"]
        assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []


def test_home_without_its_script_is_links(
    browser: Browser, live_server: LiveServer, settings: Any, sam: User, waiting: None
) -> None:
    settings.SITE_URL = live_server.url
    for page in visitor(browser, live_server.url, sam, viewport=DESK):
        page.route("**/queue*.js", lambda route: route.abort())  # the theme shows nothing without its own
        page.goto("/admin/")
        page.get_by_role("link", name="Question 1").click()
        page.wait_for_url("**/support/ticket/*/change/")
