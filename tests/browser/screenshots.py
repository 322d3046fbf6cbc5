"""`python -m tests.browser.screenshots http://127.0.0.1:8000`: the README's pictures, taken from a running demo."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.provision import chromium

DOCS = Path(__file__).resolve().parents[2] / "docs"
CUSTOMER, ADMIN, PASSWORD = "customer@example.com", "admin@example.com", "demo-password"


def main(address: str) -> None:
    """Buy a service and a number as the demo's customer, and keep what there is to see."""
    with sync_playwright() as playwright:
        options = {"executable_path": chromium.executable(), "args": chromium.launch_arguments()}
        with playwright.chromium.launch(**options) as browser:
            page = _visitor(browser, address, 1280, 820, "light")
            _shoot(page, "/", "home")
            _sign_in(page)
            page.goto("/catalog/search/?q=instagram+followers")
            page.locator("main a[href^='/order/']").first.click()
            page.locator("input[name=quantity]").fill("2500")
            page.locator("input[name=link]").fill("https://instagram.com/yourname")
            expect(page.locator("#quote")).to_contain_text("2,500")
            page.screenshot(path=DOCS / "service.png")
            page.get_by_role("button", name="Order and pay").click()
            page.wait_for_url("**/orders/*/")
            order = page.url
            _buy_number(page)
            expect(page.locator(".number-card__code strong").first).to_be_visible(timeout=90_000)
            page.screenshot(path=DOCS / "numbers.png")
            page.goto(order)
            expect(page.locator("#order")).to_contain_text("Delivered", timeout=90_000)
            page.screenshot(path=DOCS / "order.png")
            _admin(browser, address)
            phone = _visitor(browser, address, 390, 844, "dark")
            _shoot(phone, "/", "phone")


def _visitor(browser: Browser, address: str, width: int, height: int, scheme: str) -> Page:
    viewport = {"width": width, "height": height}
    return browser.new_context(
        reduced_motion="reduce", base_url=address, viewport=viewport, color_scheme=scheme, locale="en-US"
    ).new_page()


def _shoot(page: Page, path: str, name: str) -> None:
    page.goto(path)
    page.screenshot(path=DOCS / f"{name}.png")


def _admin(browser: Browser, address: str) -> None:
    """Keep what its owner sees: what needs them, an order, a report."""
    desk = _visitor(browser, address, 1280, 820, "light")
    _sign_in(desk, ADMIN)
    _shoot(desk, "/admin/", "admin-home")
    desk.goto("/admin/orders/order/?attention=yes")
    desk.locator("#result_list tbody a").first.click()
    desk.wait_for_url("**/change/**")
    desk.screenshot(path=DOCS / "admin-order.png")


def _sign_in(page: Page, who: str = CUSTOMER) -> None:
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(who)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("link", name="Wallet")).to_be_visible()


def _buy_number(page: Page) -> None:
    page.goto("/sms/?q=telegram")
    page.locator(".number-offer button").first.click()
    page.wait_for_url("**/sms/numbers/")


if __name__ == "__main__":
    main(sys.argv[1])
