"""Quick order in a browser: by keyboard from the first letter to the order, and on to a mass order of ten links."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from catalog.models import Service
from catalog.words.vocabulary import learn_words
from orders.models import Order
from tests.browser.test_api_pages import DESK, PHONE, address, fits, visitor
from tests.browser.test_story import accessible
from tests.catalog.listing_rows import put_on_sale
from tests.storefront.admin_rows import make_order

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser")]
TEN = [f"https://instagram.com/ann{number}" for number in range(10)]


def test_quick_order_by_keyboard(browser: Browser, address: str, ann: User) -> None:
    """One shop for all of it: each part below goes on from the one before."""
    followers = put_on_sale("Instagram Followers HQ")
    likes = put_on_sale("Instagram Likes HQ", subcategory="Likes")
    make_order(ann, service=likes, title="Instagram Likes HQ", link="https://instagram.com/last")
    learn_words()

    options: dict[str, Any] = {"viewport": DESK, "color_scheme": "light"}
    complaints: list[str] = []
    for page in visitor(browser, address, ann, **options, permissions=["clipboard-read", "clipboard-write"]):
        page.on("pageerror", lambda error: complaints.append(str(error)))
        _chooses_by_keyboard(page, followers)
        _keeps_what_was_typed(page, likes)
        _takes_a_last_link_by_keyboard(page)
        _orders_and_stays(page, likes)
        _pastes_ten_links(page)
    assert complaints == []
    for page in visitor(browser, address, ann, viewport=PHONE, color_scheme="dark", locale="ru-RU"):
        _fits_on_a_phone_in_russian(page, followers)
    for page in visitor(browser, address, ann, viewport=DESK, color_scheme="dark", java_script_enabled=False):
        _works_without_script(page, followers)
    for page in visitor(browser, address, ann, **options):
        _home_is_accessible(page)


def _chooses_by_keyboard(page: Page, followers: Service) -> None:
    page.goto("/quick/")
    picker = page.get_by_role("combobox", name="Service")
    expect(picker).to_be_focused()
    expect(picker).to_have_attribute("aria-expanded", "false")
    accessible(page)

    page.keyboard.type("instagrm folowers hq")  # mistyped, and still found
    page.keyboard.press("Enter")  # at once: it takes what was asked for, not what was listed before
    expect(page.locator("#chosen-name")).to_have_text(followers.short_name)
    expect(page.locator("textarea[name=link]")).to_be_focused()
    expect(picker).to_have_attribute("aria-expanded", "false")
    expect(page).to_have_url(re.compile(rf"/quick/\?service={followers.pk}$"))
    accessible(page)

    page.keyboard.type("https://instagram.com/ann")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.name") != "quantity":
        page.keyboard.press("Tab")
    page.keyboard.type("1000")
    expect(page.locator("#quote .sums__total")).to_contain_text("$1.50")


def _keeps_what_was_typed(page: Page, likes: Service) -> None:
    picker = page.get_by_role("combobox", name="Service")
    picker.focus()
    page.keyboard.type("hq")
    expect(page.locator(".pick")).to_have_count(2)
    expect(picker).to_have_attribute("aria-expanded", "true")
    first, second = page.locator(".pick").all()
    expect(first).to_have_attribute("aria-selected", "true")
    accessible(page)
    page.keyboard.press("ArrowDown")
    expect(second).to_have_attribute("aria-selected", "true")
    assert picker.get_attribute("aria-activedescendant") == second.get_attribute("id")
    page.keyboard.press("Escape")
    expect(picker).to_have_attribute("aria-expanded", "false")
    assert picker.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")  # opens it again, at the first one
    while picker.get_attribute("aria-activedescendant") != f"pick-{likes.pk}":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("#chosen-name")).to_have_text(likes.short_name)
    expect(page.locator("textarea[name=link]")).to_have_value("https://instagram.com/ann")
    expect(page.locator("input[name=quantity]:visible")).to_have_value("1000")
    expect(page.locator("#quote .sums__total")).to_contain_text("$1.50")


def _takes_a_last_link_by_keyboard(page: Page) -> None:
    page.get_by_role("link", name="https://instagram.com/last").focus()
    page.keyboard.press("Enter")

    expect(page.locator("textarea[name=link]")).to_have_value("https://instagram.com/last")
    expect(page.locator("textarea[name=link]")).to_be_focused()


def _orders_and_stays(page: Page, likes: Service) -> None:
    page.locator("textarea[name=link]").fill("https://instagram.com/new")
    page.keyboard.press("Enter")  # in a field for one line it sends

    expect(page.get_by_role("status").filter(has_text="Thank you.")).to_be_visible()
    order = Order.objects.latest("pk")
    assert (order.service_id, order.link, order.quantity) == (likes.pk, "https://instagram.com/new", 1000)
    expect(page).to_have_url(re.compile(rf"/quick/\?service={likes.pk}&placed={order.pk}$"))
    accessible(page)


def _pastes_ten_links(page: Page) -> None:
    before = Order.objects.count()
    offer = page.get_by_role("button", name="Check all of them together")
    expect(offer).to_be_hidden()
    page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join(TEN))
    page.locator("textarea[name=link]").focus()
    page.keyboard.press("Control+v")
    expect(page.locator("[data-several]")).to_contain_text("Links: 10.")
    expect(page.get_by_role("button", name="Order and pay")).to_be_hidden()
    page.locator("input[name=quantity]:visible").fill("100")
    accessible(page)

    offer.focus()
    page.keyboard.press("Enter")

    page.wait_for_url("**/orders/mass/")
    expect(page.locator(".mass-table tbody tr")).to_have_count(10)
    expect(page.locator(".mass-table")).to_contain_text(TEN[9])
    expect(page.get_by_role("button", name="Order and pay all")).to_be_visible()
    assert Order.objects.count() == before


def _fits_on_a_phone_in_russian(page: Page, followers: Service) -> None:
    page.goto(f"/quick/?service={followers.pk}")
    accessible(page)
    assert fits(page)
    page.locator("#quick-picker").click()
    page.keyboard.type("hq")
    expect(page.locator(".pick")).to_have_count(2)
    accessible(page)
    assert fits(page)


def _works_without_script(page: Page, followers: Service) -> None:
    page.goto("/quick/")
    page.locator("#quick-category").select_option(str(followers.category_id))
    page.locator(".quick__choice button").first.click()
    page.locator("#quick-service").select_option(str(followers.pk))
    page.locator(".quick__choice button").first.click()
    page.locator("[name=link]").fill("https://instagram.com/plain")
    page.locator("input[name=quantity]").fill("100")
    page.get_by_role("button", name="Order and pay").click()
    page.get_by_role("button", name="Order and pay").click()  # the price is seen first

    expect(page.get_by_text("Thank you.")).to_be_visible()
    assert Order.objects.latest("pk").link == "https://instagram.com/plain"


def _home_is_accessible(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="In progress")).to_be_visible()
    accessible(page)
    assert fits(page)
    page.context.clear_cookies()
    page.goto("/")
    accessible(page)
    assert fits(page)
