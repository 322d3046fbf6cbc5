"""The whole story in a browser: sign up, be credited, search, order a service, goods and a number, see them finish."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from orders.models import Order, Status
from tests.browser.conftest import Shop
from tests.conftest import customer
from tests.workers import wait_for
from upstream.sandbox.api import ACCOUNT_EMAIL

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.xdist_group("more browser")]
EMAIL, PASSWORD = "newcomer@example.com", "correct horse battery"


def accessible(page: Page) -> None:
    """Fail when axe finds something a person with a screen reader, a keyboard or weak eyes would stumble over."""
    expect(page.locator("main")).to_be_visible()
    assert found_by_axe(page) == []


def found_by_axe(page: Page) -> list[tuple[str, list[str]]]:
    """Return the rules that the page breaks, each with the beginnings of the elements that do."""
    # preload: axe would fetch our style sheets once more and stumble over their relative imports.
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found]


def sign_up(page: Page, shop: Shop) -> None:
    page.goto("/")
    accessible(page)
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("link", name=re.compile("sign up|create an account", re.I)).first.click()
    page.wait_for_url("**/signup/**")
    accessible(page)
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.locator("input[name=terms]").check()
    page.locator("main form button[type=submit], main form button:not([type])").first.click()
    wait_for(lambda: shop.mails_to(EMAIL), "the confirmation mail")
    link = re.search(r"http://\S+/confirm-email/\S+", shop.mails_to(EMAIL)[0].replace("=\n", ""))
    assert link is not None
    page.goto(link.group())
    page.locator("main form button").first.click()
    if "login" in page.url:
        page.locator("input[name=login]").fill(EMAIL)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form button[type=submit], main form button:not([type])").first.click()
    expect(page.get_by_role("link", name="Wallet")).to_be_visible()


def order(page: Page, words: str, *, quantity: str, link: str = "") -> None:
    """Find a service by searching, order it, and end on the order's page."""
    page.goto("/")
    page.get_by_role("searchbox").first.fill(words)
    page.get_by_role("searchbox").first.press("Enter")
    page.wait_for_url("**/search/?**")
    found = [link.get_attribute("href") for link in page.locator("main a[href^='/order/']").all()]
    for address in dict.fromkeys(found):  # what a damaged answer calls sold out is not for sale
        page.goto(address)
        if page.locator("input[name=quantity]").count():
            break
    accessible(page)
    page.locator("input[name=quantity]").fill(quantity)
    if link:
        page.locator("input[name=link]").fill(link)
    expect(page.locator("#quote")).to_contain_text(f"Total for {int(quantity):,}")
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/orders/*/")
    accessible(page)


@pytest.mark.parametrize(
    "profiles",
    [
        pytest.param((), id="plain", marks=pytest.mark.long),
        pytest.param(("live", "shared-ids"), id="live"),
        pytest.param(("hostile",), id="hostile", marks=pytest.mark.long),
    ],
)
def test_a_newcomer_buys_a_service_goods_and_a_number_and_the_books_add_up(page: Page, shop: Shop, sandbox, capsys):
    sign_up(page, shop)
    call_command("credit", EMAIL, "50", note="welcome")
    page.goto("/wallet/")
    expect(page.locator("main")).to_contain_text("$50.00")
    accessible(page)

    order(page, "followers instagram", quantity="1000", link="https://instagram.com/newcomer")
    expect(page.locator("#order")).to_contain_text("Completed", timeout=60_000)  # by itself: nobody reloads

    order(page, "gmail", quantity="2")
    expect(page.locator("#order")).to_contain_text("Completed", timeout=60_000)
    expect(page.locator("main")).to_contain_text("2 accounts delivered")
    [goods] = [placed for placed in sandbox.orders if placed["link"] == ACCOUNT_EMAIL]
    assert (goods["quantity"], EMAIL in str(sandbox.requests)) == (2, False)

    page.goto("/sms/")
    accessible(page)
    page.get_by_role("searchbox").fill("telegram")
    offer = page.locator(".number-offer").filter(has_text="Telegram").first
    offer.get_by_role("button", name="Buy").click()
    page.wait_for_url("**/sms/numbers/")
    expect(page.locator(".number-card__code strong")).to_have_text(re.compile(r"^\d{4,8}$"), timeout=60_000)
    accessible(page)

    page.goto("/orders/")
    expect(page.locator("main a[href^='/orders/']")).not_to_have_count(0)
    accessible(page)
    wait_for(lambda: not Order.objects.open().exists(), "everything is finished")
    assert set(Order.objects.values_list("status", flat=True)) == {Status.COMPLETED}
    assert len(sandbox.orders) == 3
    sandbox.set(profiles=[])  # else the balance itself may be damaged
    call_command("audit")
    assert "the books add up" in capsys.readouterr().out


def test_the_shop_works_without_javascript(browser: Browser, shop: Shop, settings):
    # The web server is a process of its own and does not know the suite's fast hashes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    customer(EMAIL, money="20.00")
    with browser.new_context(
        reduced_motion="reduce", base_url=shop.url, java_script_enabled=False, viewport={"width": 390, "height": 800}
    ) as context:
        page = context.new_page()
        page.goto("/accounts/login/?next=/catalog/search/%3Fq%3Dinstagram%2Bfollowers")
        page.locator("input[name=login]").fill(EMAIL)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form button").first.click()
        page.wait_for_url("**/catalog/search/**")
        page.locator("main a[href^='/order/']").first.click()
        page.locator("input[name=quantity]").fill("1000")
        page.locator("input[name=link]").fill("https://instagram.com/newcomer")
        page.get_by_role("button", name="Order and pay").click()
        # Nothing could show the price while the quantity was typed: it is shown now, and a second press accepts it.
        expect(page.locator("#order-form").get_by_role("status")).to_contain_text("Nothing has been charged yet.")
        assert Order.objects.count() == 0
        page.get_by_role("button", name="Order and pay").click()

        expect(page).to_have_url(re.compile(r"/orders/\d+/$"))

    assert Order.objects.count() == 1
