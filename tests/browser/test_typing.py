"""What people type: the browser counts comments as the server does, and hands over numbers as they are written."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from catalog.models import Service
from tests.browser.test_api_pages import DESK, address, visitor
from upstream.reading.text import lines
from wallet.models import TopUp

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser")]
TYPED = (
    "one\u2028still one\u2029\ntwo\x0bstill two\n\u200b\n \u00a0\n\u00ad\ufeff\n\u2800\n\u3164\n\u202e\n\u0600\n"
    "👩\u200d💻\n\u200d\nfour\u0085still four\n\U000e0067\n\u180e"
)


def test_comments_when_lines_are_blank_to_the_eye_then_browser_and_server_count_alike(
    browser: Browser, address: str, ann: User, service: Service
) -> None:
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=1)
    for page in visitor(browser, address, ann, viewport=DESK, color_scheme="light"):
        page.goto(f"/order/{service.pk}/")

        page.locator("textarea[name=comments]").fill(TYPED)

        expect(page.locator("#quantity-of-comments")).to_have_value(str(len(lines(TYPED))))


def test_quantity_when_it_is_typed_with_a_blank_then_the_price_follows(
    browser: Browser, address: str, ann: User, service: Service
) -> None:
    for page in visitor(browser, address, ann, viewport=DESK, color_scheme="light", locale="ru-RU"):
        page.goto(f"/order/{service.pk}/")

        page.locator("input[name=quantity]").fill("1 000")

        expect(page.locator("#quote")).to_contain_text("1 000".replace(" ", "\u00a0"))


def test_amount_when_it_has_a_comma_then_it_is_paid(browser: Browser, address: str, ann: User, settings: Any) -> None:
    settings.MANUAL_TRANSFER_DETAILS = "Account 1234"
    for page in visitor(browser, address, ann, viewport=DESK, color_scheme="light", locale="ru-RU"):
        page.goto("/wallet/add")

        page.locator("input[name=amount]").fill("10,50")
        page.locator("input[name=amount]").press("Enter")
        page.wait_for_url("**/wallet/payments/*")

    assert [top_up.amount_micros for top_up in TopUp.objects.all()] == [10_500_000]
