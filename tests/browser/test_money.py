"""Money in a browser: an order paid directly at the demo gateway, payments that go wrong, statement and receipt."""

import re

import pytest
from playwright.sync_api import Page, expect

from orders.models import Order, PendingCheckout
from tests.browser.conftest import Shop
from tests.browser.test_story import accessible
from tests.conftest import PASSWORD, customer
from wallet.models import Receipt, TopUp, Wallet

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.xdist_group("browser")]
EMAIL = "payer@example.com"


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("link", name="Wallet")).to_be_visible(timeout=15_000)


def pay_for_an_order(page: Page) -> None:
    page.goto("/catalog/search/?q=followers+instagram")
    page.locator("main a[href^='/order/']").first.click()
    page.locator("input[name=quantity]").fill("1000")
    page.locator("input[name=link]").fill("https://instagram.com/payer")
    pay = page.get_by_role("button", name=re.compile("pay .* and order", re.I))
    expect(pay).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name="Order and pay")).to_be_hidden()
    accessible(page)
    pay.click()
    page.wait_for_url("**/wallet/demo/*")
    page.get_by_role("button", name="Paid", exact=True).click()
    page.wait_for_url("**/wallet/payments/*")
    expect(page.locator("#payment")).to_contain_text(re.compile(r"Order #\d+ has been placed"))
    accessible(page)
    page.get_by_role("link", name=re.compile("Go to order")).click()
    expect(page).to_have_url(re.compile(r"/orders/\d+/$"))


def top_up(page: Page, outcome: str) -> None:
    page.goto("/wallet/add")
    page.locator("input[name=amount]").fill("20")
    page.get_by_role("radio", name=re.compile("demo", re.I)).check()
    page.get_by_role("button", name="Continue to payment").click()
    page.wait_for_url("**/wallet/demo/*")
    page.get_by_role("button", name=outcome, exact=True).click()
    page.wait_for_url("**/wallet/payments/*")


def test_a_customer_pays_for_an_order_directly_and_keeps_the_books(page: Page, shop: Shop, settings):
    # The web server is a process of its own and does not know the suite's fast hashes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    payer = customer(EMAIL)
    sign_in(page)

    pay_for_an_order(page)
    assert PendingCheckout.objects.get().order == Order.objects.get()

    top_up(page, "Declined")
    expect(page.locator("#payment")).to_contain_text("You have not been charged.")
    top_up(page, "Paid, with three notifications")
    expect(page.locator("#payment")).to_contain_text("$20.00 has been added to your balance.")
    first, declined, twice = TopUp.objects.order_by("pk")
    assert [top_up.credited_micros for top_up in (declined, twice)] == [0, 20_000_000]
    left_micros = first.credited_micros - Order.objects.get().price_micros
    assert Wallet.objects.get(user=payer).balance_micros == 20_000_000 + left_micros

    page.goto("/wallet/")
    accessible(page)
    page.get_by_label("Transaction", exact=True).select_option("charge")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".ledger-table tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("CSV")).click()
    assert download.value.suggested_filename.endswith(".csv")

    page.get_by_role("link", name="Receipts and statements").click()
    accessible(page)
    page.get_by_role("link", name="Receipt 2").click()
    expect(page.locator(".paper")).to_contain_text("Total paid")
    expect(page.locator(".paper")).to_contain_text("$20.00")
    accessible(page)
    page.emulate_media(media="print")
    expect(page.locator("header.header")).to_be_hidden()
    assert list(Receipt.objects.order_by("number").values_list("number", "top_up")) == [(1, first.pk), (2, twice.pk)]
