"""Forms in a browser: what is wrong is seen and goes when it is mended; what is sent says so, and is sent once."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Route, expect

from accounts.models import User
from orders.models import Order
from tests.api.world import FOLLOWERS, GOODS, PROJECT
from tests.browser.test_api_pages import DESK, address, fits, visitor
from tests.browser.test_story import accessible

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PHONE = {"width": 360, "height": 740}
LINK = "https://example.com/a-post"


def box(locator: Locator) -> dict[str, float]:
    found = locator.bounding_box()
    assert found is not None
    return found


# A document that is under way keeps Playwright waiting. So a form that would be sent is counted, and stays.
COUNT_AND_STAY = """
window.sent = 0;
window.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) window.sent += 1;
  event.preventDefault();
});
"""
BACK_FROM_THE_HISTORY = 'window.dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))'


def test_order_on_a_phone_when_it_is_wrong_then_it_is_told_mended_and_sent_once(
    browser: Browser, address: str, ann: User
) -> None:
    before = Order.objects.count()
    for page in visitor(browser, address, ann, viewport=PHONE, color_scheme="light"):
        page.goto(f"/order/{FOLLOWERS}/")
        button = page.get_by_role("button", name="Order and pay")
        quantity, link = page.locator("input[name=quantity]"), page.locator("input[name=link]")
        summary = page.locator(".error-summary")

        # The form stands before the facts, and what ends it at the bottom of the window.
        assert box(page.locator("h1"))["y"] < box(page.locator("#order-form"))["y"]
        assert box(page.locator("#order-form"))["y"] < box(page.locator(".service-facts"))["y"]
        bar = box(page.locator(".total-bar"))
        assert bar["y"] + bar["height"] == PHONE["height"]
        assert fits(page)

        quantity.fill("5")
        button.click()

        expect(summary).to_be_focused()
        assert page.title().startswith("Error: ")
        expect(summary.locator("li")).to_have_count(2)
        accessible(page)

        summary.get_by_role("link").nth(1).click()

        expect(link).to_be_focused()
        assert box(link)["y"] + box(link)["height"] < box(page.locator(".total-bar"))["y"]

        # Another wrong quantity is told at once; a right one by the server's word alone.
        quantity.fill("6.5")
        expect(summary.locator("li").first).to_have_text("Quantity: Enter a whole number.")
        expect(page.locator("#id_quantity_error")).to_have_text("Enter a whole number.")
        quantity.fill("1000")
        expect(summary.locator("li")).to_have_count(1)
        expect(quantity).not_to_have_attribute("aria-invalid", "true")
        expect(page.locator("#id_quantity_error")).to_have_count(0)
        expect(page.locator("#bar-total")).to_contain_text("$")
        assert page.title().startswith("Error: ")
        link.fill(LINK)
        expect(summary).to_have_count(0)
        assert not page.title().startswith("Error: ")

        page.evaluate(COUNT_AND_STAY)
        size = box(button)
        button.click()
        busy = page.locator(".total-bar button[aria-busy=true]")
        expect(busy).to_have_text("Ordering…")
        assert box(busy) == size
        expect(page.locator("[data-busy-status]")).to_have_text("Ordering…")
        busy.click()
        link.press("Enter")
        assert page.evaluate("window.sent") == 1
        page.evaluate(BACK_FROM_THE_HISTORY)
        expect(busy).to_have_count(0)
        expect(button).to_be_visible()

        page.goto(f"/order/{FOLLOWERS}/")
        quantity.fill("1000")
        link.fill(LINK)
        expect(page.locator("#bar-total")).to_contain_text("$")
        button.click()
        page.wait_for_url("**/orders/*/")
        page.go_back()

        expect(page.get_by_role("button", name="Order and pay")).not_to_have_attribute("aria-busy", "true")
    assert Order.objects.count() == before + 1


def test_forms_of_other_kinds_when_they_are_sent_then_they_say_so_and_come_back(
    browser: Browser, address: str, ann: User, settings: Any
) -> None:
    settings.MANUAL_TRANSFER_DETAILS = "Account 1234"
    held: list[Route] = []

    def hold_posts(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    for page in visitor(browser, address, ann, viewport=PHONE, color_scheme="dark"):
        # A file: the page stays, and its button with it.
        page.goto(f"/orders/{GOODS}/")
        download = page.get_by_role("button", name="Download as a text file")
        with page.expect_download():
            download.click()
        expect(download).to_have_attribute("aria-busy", "true")
        expect(download).not_to_have_attribute("aria-busy", "true", timeout=5000)

        # htmx: until its answer comes.
        page.goto(reverse("sms:buy", args=[PROJECT]))
        page.locator("input[name=quantity]").fill("99")
        page.route("**/*", hold_posts)
        page.get_by_role("button", name="Buy").click()
        expect(page.locator("button[aria-busy=true]")).to_have_count(1)
        page.locator("input[name=quantity]").press("Enter")
        assert len(held) == 1
        held[0].continue_()
        page.unroute("**/*", hold_posts)
        expect(page.locator(".number-offer__errors")).to_be_visible()
        expect(page.locator("button[aria-busy=true]")).to_have_count(0)
        expect(page.locator("[data-busy-status]")).to_be_empty()  # the form that asked is gone

        # The total follows what is typed and what is chosen.
        page.goto("/wallet/add")
        page.locator("input[name=amount]").fill("25")
        expect(page.locator("#bar-total")).to_contain_text("$25")
        page.locator("input[name=amount]").fill("0")
        page.get_by_role("button", name="Continue to payment").click()
        expect(page.locator(".error-summary")).to_be_focused()
        accessible(page)
        page.locator("input[name=amount]").fill("30")
        expect(page.locator(".error-summary")).to_have_count(0)

        # What is wrong with lines goes when they are typed anew.
        page.goto("/orders/mass/")
        page.locator("textarea").fill("nonsense")
        page.get_by_role("button", name="Check the lines").click()
        expect(page.locator(".error-summary li")).to_have_count(2)
        accessible(page)
        assert fits(page)
        page.locator("textarea").fill(f"{FOLLOWERS} | {LINK} | 1000")
        expect(page.locator(".error-summary")).to_have_count(0)


def test_sign_in_when_it_is_wrong_then_it_is_told_without_script_too(browser: Browser, address: str, ann: User) -> None:
    for page in visitor(browser, address, viewport=DESK, color_scheme="light", java_script_enabled=False):
        page.goto("/accounts/login/")
        page.locator("input[name=login]").fill(ann.email)
        page.locator("input[name=password]").fill("not hers")
        page.locator("input[name=password]").press("Enter")

        expect(page.locator(".error-summary")).to_be_focused()
        assert page.title().startswith("Error: ")
        # Nothing moves on a wide window: the bar is the button of the card.
        page.goto(f"/order/{FOLLOWERS}/")
        form = box(page.locator("#order-form"))
        assert form["x"] > box(page.locator(".service-facts"))["x"] + box(page.locator(".service-facts"))["width"]
        assert box(page.locator(".total-bar"))["y"] < form["y"] + form["height"]
