"""Who types before the scripts have come is answered all the same."""

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from accounts.models import User
from catalog.models import Service
from tests.browser.test_api_pages import DESK, address, visitor

__all__ = ["address"]  # the fixture
SCRIPTS = re.compile(r"(htmx|site)[^/]*\.js")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_quantity_when_it_is_typed_before_the_scripts_came_then_the_price_follows(
    browser: Browser, address: str, ann: User, service: Service
) -> None:
    held: list[Route] = []
    for page in visitor(browser, address, ann, viewport=DESK, color_scheme="light"):
        page.route(SCRIPTS, lambda script: held.append(script))
        page.goto(f"/order/{service.pk}/", wait_until="commit")
        page.locator("input[name=quantity]").fill("1000")

        for script in held:
            script.continue_()

        expect(page.locator("#quote")).to_contain_text("Total for 1,000")
