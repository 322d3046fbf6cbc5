"""The API's documentation and console in a browser: languages, the dry run, axe, and no script at all."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orders.models import Order
from tests.api import world
from tests.browser.test_story import accessible

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture
def address(transactional_db: None, ann: User, settings: Any, live_server: LiveServer) -> str:
    """The document's shop, served."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    settings.SITE_URL = live_server.url
    world.build_world(ann)
    return live_server.url


def visitor(browser: Browser, address: str, user: User | None = None, **options: Any) -> Iterator[Page]:
    """A page whose browser is signed in as the user, and runs no service worker unless it is told to."""
    usual = {"reduced_motion": "reduce", "base_url": address, "locale": "en-US", "service_workers": "block"}
    with browser.new_context(**{**usual, **options}) as context:
        if user is not None:
            client = Client()
            client.force_login(user)
            name = django_settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        yield page


def fits(page: Page) -> bool:
    """Whether nothing makes the page wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(("window", "scheme"), [(PHONE, "dark"), (DESK, "light")])
def test_guide_when_a_language_is_chosen_with_the_keyboard_then_every_example_is_in_it(
    browser: Browser, address: str, window: dict, scheme: str
) -> None:
    for page in visitor(browser, address, viewport=window, color_scheme=scheme, java_script_enabled=True):
        page.goto("/api/docs/")
        accessible(page)
        assert fits(page)
        expect(page.locator("#balance [data-language=curl]")).to_be_visible()

        page.get_by_label("curl", exact=True).focus()
        page.keyboard.press("ArrowRight")

        expect(page.locator("#balance [data-language=python]")).to_be_visible()
        expect(page.locator("[data-language=curl]:visible")).to_have_count(0)
        accessible(page)


@pytest.mark.parametrize(("window", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_console_when_add_is_sent_then_it_is_tried_in_place_and_the_real_thing_is_a_choice(
    browser: Browser, address: str, ann: User, window: dict, scheme: str
) -> None:
    for page in visitor(browser, address, ann, viewport=window, color_scheme=scheme):
        page.goto("/api/console/?action=add")
        accessible(page)
        assert fits(page)
        page.get_by_label("service", exact=True).fill("1")
        page.get_by_label("link").fill("https://instagram.com/username")
        page.get_by_label("quantity").fill("1000")
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#console-result")).to_contain_text("This order would be accepted")
        assert page.get_by_label("quantity").input_value() == "1000"  # the page has not been left
        accessible(page)
        assert fits(page)
        first = page.locator("input[name=once]").input_value()

        page.get_by_label("Order and pay").check()
        page.get_by_role("button", name="Send").click()

        expect(page.locator("#console-result")).to_contain_text('"order":')
        assert page.locator("input[name=once]").input_value() != first
    assert Order.objects.filter(user=ann, quantity=1000, price_micros=500_000).count() == 1


def test_console_when_there_is_no_script_then_asking_and_answering_work(
    browser: Browser, address: str, ann: User
) -> None:
    for page in visitor(browser, address, ann, viewport=PHONE, java_script_enabled=False):
        page.goto("/api/console/?action=cancel")
        page.locator("input[name=orders]").fill(f"{world.UNSENT},7")
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_role("button", name="Yes, send it").click()

        expect(page.locator("#console-result")).to_contain_text('"cancel": 1')
        expect(page.locator("#console-result")).to_contain_text("Incorrect order ID")
        assert page.locator("input[name=orders]").input_value() == f"{world.UNSENT},7"
