"""What somebody who has never been to the shop does in a running demo, in a real browser."""

import re
import time

import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.provision import chromium

EMAIL, PASSWORD = "newcomer@example.com", "correct horse battery"
AT_MOST_SECONDS = 120  # from the first page to an order that is paid


def check_a_newcomer_pays_orders_and_replaces_a_number(url: str, control_url: str) -> None:
    """Sign up, pay, order goods and see them come, rent a number whose code never comes, and replace it."""
    with sync_playwright() as playwright:
        options = {"executable_path": chromium.executable(), "args": chromium.launch_arguments()}
        with playwright.chromium.launch(**options) as browser:
            page = browser.new_context(base_url=url, locale="en-US", reduced_motion="reduce").new_page()
            page.set_default_timeout(20_000)
            _set(control_url, canceled_rate=0, partial_rate=0)  # the demo's dice would cancel one in twelve
            began = time.monotonic()
            _sign_up(page)
            _pay(page, "25")
            _order_goods(page)
            assert time.monotonic() - began < AT_MOST_SECONDS
            expect(page.locator("#order")).to_contain_text("Completed", timeout=90_000)  # by itself: nobody reloads
            expect(page.locator("main")).to_contain_text("1 account delivered")
            _replace_a_number(page, control_url)


def _sign_up(page: Page) -> None:
    page.goto("/accounts/signup/")
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.locator("input[name=terms]").check()
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("link", name="Wallet")).to_be_visible()


def _pay(page: Page, amount: str) -> None:
    page.goto("/wallet/add")
    page.locator("input[name=amount]").fill(amount)
    page.locator("input[name=gateway][value=demo]").check()
    page.locator("main form button[type=submit]").last.click()
    page.get_by_role("button", name="Paid", exact=True).click()
    page.goto("/wallet/")
    expect(page.locator("main")).to_contain_text(f"${amount}.00")


def _order_goods(page: Page) -> None:
    page.goto("/catalog/search/?q=gmail")
    page.locator("main a[href^='/order/']").first.click()
    page.locator("input[name=quantity]").fill("1")
    expect(page.locator("#quote")).to_contain_text("Total for 1")
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/orders/*/")


def _replace_a_number(page: Page, control_url: str) -> None:
    _set(control_url, codeless_rate=1)
    page.goto("/sms/?q=telegram")
    page.locator(".number-offer").first.get_by_role("button", name="Buy").click()
    page.wait_for_url("**/sms/numbers/")
    card = page.locator(".number-card").first
    another = card.get_by_role("button", name="Another number").first
    expect(another).to_be_enabled(timeout=90_000)
    _set(control_url, codeless_rate=0, code_delay_seconds=1)
    another.click()
    expect(page.locator("main")).to_contain_text("Another number is on its way.")
    expect(page.locator(".number-card__code strong")).to_have_text(re.compile(r"^\d{6}$"), timeout=60_000)


def _set(control_url: str, **changes: float) -> None:
    requests.post(f"{control_url}settings", json=changes, timeout=10).raise_for_status()
