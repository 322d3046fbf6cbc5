"""A coupon and a link to hand on, in a browser: the price follows the code as it is typed."""

import pytest
from playwright.sync_api import Browser, Page, expect

from catalog.models import Service
from orders.models import Order
from tests.browser.conftest import Shop
from tests.browser.test_story import PASSWORD, accessible
from tests.conftest import customer
from tests.orders.couponing import coupon

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.xdist_group("browser")]


@pytest.fixture(autouse=True)
def shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop pays for customers that are brought; its processes read it."""
    monkeypatch.setenv("REFERRAL_PERCENT", "10")


def test_a_customer_orders_with_a_coupon_and_finds_the_link_to_hand_on(
    page: Page, shop: Shop, browser: Browser, settings
):
    # The web server is a process of its own and does not know the suite's fast hashes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    ann = customer("ann@example.com", money="50.00")
    coupon(percent=10)
    roomy = Service.objects.filter(type="Default", max_quantity__gte=2000, min_quantity__lte=1000, stock__gte=2000)
    service = roomy.order_by("rate_upstream_micros").first()
    page.goto(f"/accounts/login/?next=/order/{service.pk}/")
    page.locator("input[name=login]").fill(ann.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()

    page.locator("input[name=link]").fill("https://example.com/p")
    page.get_by_text("I have a coupon").click()
    # One after the other: a question that a later one takes back is an error in the console.
    page.locator("input[name=quantity]").fill("1000")
    expect(page.locator("#quote")).to_contain_text("Total for 1,000")
    page.locator("input[name=coupon]").fill("nope")
    expect(page.locator("#quote")).to_contain_text("This coupon doesn't exist. Check the code.")
    page.locator("input[name=coupon]").fill("spring")
    expect(page.locator("#quote")).to_contain_text("Coupon SPRING")
    page.locator("input[name=quantity]").fill("2000")
    expect(page.locator("#quote")).to_contain_text("Price for 2,000")
    expect(page.locator("#quote")).to_contain_text("Coupon SPRING")
    accessible(page)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/orders/*/")
    expect(page.locator("main")).to_contain_text("Discount with coupon SPRING")
    accessible(page)
    assert Order.objects.get().pricing["coupon"] == "SPRING"
    # Nor is the page left while it asks how the order is going.
    expect(page.locator("#order")).to_contain_text("Completed", timeout=60_000)

    page.set_viewport_size({"width": 360, "height": 740})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto("/account/")
        page.get_by_role("link", name="Refer friends").click()
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    link = page.locator("code").inner_text()
    with browser.new_context(reduced_motion="reduce") as friends:
        visit = friends.new_page()
        visit.goto(link)
        assert visit.url == f"{shop.url}/"
        assert [cookie["httpOnly"] for cookie in friends.cookies() if cookie["name"] == "referred_by"] == [True]
