"""The waiting room in a browser: a code arrives on two pages at once, notices, canceling, a replacement."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from orders.models import Order
from sms.models import Number
from tests.browser.conftest import Shop
from tests.browser.test_story import PASSWORD, accessible
from tests.conftest import customer
from tests.workers import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.xdist_group("browser")]
CODE = ".number-card__code strong"


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/?next=/sms/numbers/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/sms/numbers/")


def placed(order: Order) -> Order:
    """Return the order once upstream has given its number."""

    def upstream_id() -> str | None:
        order.refresh_from_db()
        return order.upstream_id

    wait_for(upstream_id, "the number is placed")
    return order


def test_codes_arrive_on_two_pages_and_numbers_are_canceled_and_replaced(
    page: Page, shop: Shop, browser: Browser, sandbox, settings
):
    from sms.models import Project
    from sms.operations import buy_numbers

    # The web server is a process of its own and does not know the suite's fast hashes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    sandbox.set(speed=0, number_lifetime_seconds=1200)
    ann = customer("ann@example.com", money="50.00")
    project = Project.objects.on_sale().select_related("country").first()
    first, second, third = (
        placed(order) for order in buy_numbers(user=ann, project=project, quantity=3, request_id="three")
    )
    sign_in(page, ann.email)
    with browser.new_context(reduced_motion="reduce", base_url=shop.url, locale="en-US") as device:
        other = device.new_page()
        sign_in(other, ann.email)
        expect(page.locator(".number-card")).to_have_count(3)
        accessible(page)

        # Notices: the title is told of, the sound is switched off on one page, and that is remembered.
        sound = page.get_by_role("button", name="Sound when a code arrives")
        expect(sound).to_have_attribute("aria-pressed", "true")
        sound.click()
        page.reload()
        expect(sound).to_have_attribute("aria-pressed", "false")
        other.locator("h1").click()  # a browser makes no sound before it is touched

        sandbox.deliver_code(first.upstream_id, "482913", "Your code is 482913")
        for each in (page, other):
            expect(each.locator(f"#number-{first.pk} {CODE}")).to_have_text("482913", timeout=20_000)
            expect(each).to_have_title(re.compile("A code has arrived"))
            expect(each.locator("#newest-code")).to_contain_text("the code is 482913")
        assert page.locator("[data-notices]").get_attribute("data-rang") is None
        expect(other.locator("[data-notices]")).to_have_attribute("data-rang", "1")
        page.locator("h1").click()
        expect(page).not_to_have_title(re.compile("A code has arrived"))
        accessible(page)
        page.reload()
        expect(page.locator(f"#number-{first.pk} {CODE}")).to_have_text("482913")

        # Given up: the rule is there to read, the money comes back when upstream says that it was not charged.
        card = page.locator(f"#number-{second.pk}")
        expect(card).to_contain_text("comes back as soon as it is certain that there was no charge")
        accessible(page)
        card.get_by_role("button", name="Cancel the number").click()
        expect(card).to_contain_text("You have canceled this number.")
        sandbox.set_number(second.upstream_id, charge="0.0000")
        expect(card).to_contain_text("refunded to your balance", timeout=20_000)
        expect(other.locator(f"#number-{second.pk}")).to_contain_text("refunded to your balance")

        # Replaced: once it has waited, another one takes its place.
        Order.objects.filter(pk=third.pk).update(sent_at=timezone.now() - timedelta(minutes=3))
        card = page.locator(f"#number-{third.pk}")
        another = card.get_by_role("button", name="Another number")
        expect(another).to_be_enabled(timeout=10_000)
        another.click()
        expect(page.locator("main")).to_contain_text("Another number is on its way.")
        new = Number.objects.get(replaces__order=third)
        expect(page.locator(f"#number-{new.order_id}")).to_be_visible()
        expect(card).to_contain_text("refunded to your balance")

        page.get_by_role("link", name="All numbers and codes").click()
        page.wait_for_url("**/history/")
        page.get_by_role("searchbox").fill("482913x")
        expect(page.locator("#found-numbers")).to_contain_text("No matching numbers")
        page.get_by_role("searchbox").fill(project.name.split()[0])
        expect(page.locator("#found-numbers")).to_contain_text("482913")
        accessible(page)
