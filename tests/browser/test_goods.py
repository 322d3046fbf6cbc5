"""Delivered goods in a browser: masked until asked for, copied value by value and line by line, reported."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from accounts.models import User
from catalog.models import Service
from orders.models import GoodsClaim, GoodsFormat
from tests.browser.test_api_pages import PHONE, address, fits, visitor
from tests.browser.test_story import accessible
from tests.security.delivered import deliver

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LINES = ("rosa:pa:ss:r@example.com:=1+1", "see <b>the</b> mail\r\nfor it")
COPIED = "navigator.clipboard.readText()"


def test_goods_are_copied_as_they_came_and_secrets_stay_masked_until_asked_for(
    browser: Browser, address: str, ann: User, service: Service, settings: Any
) -> None:
    order = deliver(ann, service, LINES)
    GoodsFormat.objects.create(service=service, columns="login:password:email:email password")
    options = {"viewport": PHONE, "color_scheme": "dark", "permissions": ["clipboard-read", "clipboard-write"]}
    for page in visitor(browser, address, ann, **options):
        page.goto(f"/orders/{order.pk}/")
        page.get_by_role("button", name="Show", exact=True).click()
        first, second = page.locator("#line-1"), page.locator("#line-2")
        expect(first.get_by_text("rosa", exact=True)).to_be_visible()
        expect(first.get_by_text("pa:ss", exact=True)).to_be_hidden()
        accessible(page)
        assert fits(page)

        password = first.locator(".goods-cell").nth(1)
        password.get_by_role("button").click()
        expect(password.get_by_text("Copied")).to_be_visible()
        assert page.evaluate(COPIED) == "pa:ss"
        # A tap beside the button copies, too; on "Show" it shows.
        first.locator(".goods-cell").nth(2).locator("code").click(force=True)
        assert page.evaluate(COPIED) == "r@example.com"
        password.locator("summary").click()
        expect(first.get_by_text("pa:ss", exact=True)).to_be_visible()
        assert page.evaluate(COPIED) == "r@example.com"

        second.get_by_role("button", name="Copy line").click()
        assert page.evaluate(COPIED) == LINES[1]
        page.get_by_role("button", name="Copy all").click()
        assert page.evaluate(COPIED) == "\n".join(LINES)

        page.get_by_role("button", name="Show all secrets").click()
        expect(second.locator("code")).to_be_visible()
        page.get_by_role("button", name="Hide all secrets").click()
        expect(second.locator("code")).to_be_hidden()
        expect(first.get_by_text("pa:ss", exact=True)).to_be_hidden()

        second.get_by_role("link", name="Not working?").click()
        accessible(page)
        assert fits(page)
        page.get_by_label("Not what was described").check()
        page.get_by_role("button", name="Send the report").click()
        expect(page.get_by_text("Line 2 is reported.")).to_be_visible()
        accessible(page)

    (claim,) = GoodsClaim.objects.all()
    assert (claim.order_id, claim.line, claim.reason) == (order.pk, 2, "incomplete")
    assert claim.delivered_at <= claim.first_opened_at <= claim.claimed_at <= timezone.now()
