"""The palette and the keys in a browser: by keyboard alone, spoken, in both themes, and never in the way."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from catalog.words.vocabulary import learn_words
from tests.browser.test_api_pages import DESK, PHONE, address, fits, visitor
from tests.browser.test_story import accessible
from tests.catalog.listing_rows import put_on_sale
from tests.storefront.admin_rows import make_order

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser")]


def test_palette_and_keys(browser: Browser, address: str, ann: User) -> None:
    """One shop for all of it: each part below goes on from a page of its own."""
    service = put_on_sale("Instagram Followers HQ")
    order = make_order(ann, service=service, title="Instagram Followers HQ", link="https://instagram.com/ann")
    learn_words()

    for page in visitor(browser, address, ann, viewport=DESK, color_scheme="light"):
        _finds_by_keyboard(page, order)
        _keys_lead_to_pages(page)
        _keys_keep_out_of_the_way(page)
        _keys_can_be_switched_off(page)
    for page in visitor(browser, address, viewport=PHONE, color_scheme="dark", locale="ru-RU"):
        _fits_on_a_phone_in_russian(page)


def _finds_by_keyboard(page: Page, order: Any) -> None:
    page.goto("/wallet/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search pages, services and your orders")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name="Home")).to_have_attribute("aria-selected", "true")
    accessible(page)
    assert fits(page)

    page.keyboard.type("instagrm folowers hq")  # mistyped, and still found
    service = page.get_by_role("group", name="Services").get_by_role("option")
    expect(service).to_have_count(1)
    expect(service).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-palette-count]")).to_contain_text("Services: 1")
    accessible(page)

    field.fill(f"#{order.pk}")
    own = page.get_by_role("group", name="My orders").get_by_role("option")
    expect(own).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == own.get_attribute("id")
    page.keyboard.press("ArrowUp")  # round to the last one
    expect(page.get_by_role("option", name="Search all services")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{order.pk}/")

    # Typed in one go: the first of what was meant, not of what stood there.
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.type("receipts")
    page.keyboard.press("Enter")
    page.wait_for_url("**/wallet/receipts")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search pages, services and your orders")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def _keys_lead_to_pages(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/orders/")
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your home page")
    page.goto("/catalog/")
    page.keyboard.press("/")
    expect(page.locator("main input[type=search]")).to_be_focused()
    page.goto("/orders/")
    # The keyboard is set to another alphabet: the same keys.
    page.evaluate(
        """[["п", "KeyG"], ["ц", "KeyW"]].forEach(([key, code]) =>
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key, code, bubbles: true})))"""
    )
    page.wait_for_url("**/wallet/")


def _keys_keep_out_of_the_way(page: Page) -> None:
    page.goto("/catalog/search/")
    field = page.locator("main input[type=search]")
    field.focus()
    page.keyboard.type("go?/")
    page.keyboard.press("Control+k")
    assert field.input_value() == "go?/"
    page.wait_for_timeout(300)
    assert page.locator("dialog[open]").count() == 0

    page.goto("/catalog/")
    page.keyboard.press("Alt+g")
    page.keyboard.press("Alt+o")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_have_count(1)
    accessible(page)
    page.keyboard.press("g")  # a window is open
    page.keyboard.press("o")
    page.wait_for_timeout(300)
    assert page.url.endswith("/catalog/")
    page.keyboard.press("Escape")


def _keys_can_be_switched_off(page: Page) -> None:
    page.goto("/catalog/")
    page.get_by_role("contentinfo").get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("switch", name="Shortcuts of single keys").uncheck()
    page.keyboard.press("Escape")

    page.goto("/catalog/")
    for key in ("?", "/", "g", "o"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.url.endswith("/catalog/")
    assert page.locator("dialog[open]").count() == 0
    page.keyboard.press("Control+k")  # with another key held it cannot be pressed by accident
    expect(page.locator("dialog[open]")).to_have_count(1)
    page.get_by_role("dialog").get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("switch", name="Shortcuts of single keys").check()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("main input[type=search]")).to_be_focused()

    # A box that is ticked is nothing one types into.
    page.goto("/catalog/search/")
    page.locator("main details.facets").evaluate("(filters) => { filters.open = true; }")
    page.get_by_role("checkbox").first.focus()
    page.keyboard.press("/")
    expect(page.locator("main input[type=search]")).to_be_focused()


def _fits_on_a_phone_in_russian(page: Page) -> None:
    page.goto("/catalog/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    assert fits(page)
    accessible(page)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_have_count(1)
    assert fits(page)
    accessible(page)
