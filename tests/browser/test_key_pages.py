"""The account's pages of keys and webhooks in a browser: nothing is cut off on a phone, and axe finds nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey, User
from api.models import Webhook, WebhookDelivery
from api.webhooks.operations import add_webhook
from tests.browser.test_api_pages import DESK, PHONE, address, fits, visitor
from tests.browser.test_story import accessible

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG_ADDRESS = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
LONG_URL = "https://hooks.agency-with-a-long-name.example.com/incoming/webhooks/of/the/shop?token=0123456789abcdefghij"
# What a card hides because it is wider than the card; a body scrolls.
CUT_OFF = """[...document.querySelectorAll('main .card')].filter(one => getComputedStyle(one).overflowX !== 'auto'
    && one.scrollWidth > one.clientWidth).map(one => one.innerText.slice(0, 80))"""


def looks_right(page: Page, path: str) -> None:
    page.goto(path)
    assert fits(page), path
    assert page.evaluate(CUT_OFF) == [], path
    accessible(page)


@pytest.mark.parametrize(("window", "scheme"), [(PHONE, "dark"), (DESK, "light")])
def test_key_pages_when_addresses_are_long_then_nothing_is_cut_off_and_a_new_key_is_shown(
    browser: Browser, address: str, ann: User, window: dict, scheme: str
) -> None:
    key, _text = create_api_key(user=ann, name="Panel of the agency", is_test=True, daily_limit_micros=50_000_000)
    now = timezone.now()
    ApiKey.objects.filter(pk=key.pk).update(
        last_used_at=now, last_used_from=LONG_ADDRESS, expires_at=now + timedelta(days=9)
    )
    for page in visitor(browser, address, ann, viewport=window, color_scheme=scheme):
        looks_right(page, f"/account/api/{key.pk}/")
        looks_right(page, "/account/api/")

        page.get_by_label("Name").fill("My program")
        page.get_by_role("button", name="Create the key").click()

        expect(page.get_by_role("heading", name="Your key")).to_be_visible()
        assert fits(page)
        accessible(page)


@pytest.mark.parametrize(("window", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_webhook_pages_when_addresses_and_errors_are_long_then_nothing_is_cut_off(
    browser: Browser, address: str, ann: User, window: dict, scheme: str
) -> None:
    hook, _secret = add_webhook(user=ann, url=LONG_URL)
    Webhook.objects.update(old_secret_until=timezone.now() + timedelta(hours=1))
    row: Any = WebhookDelivery.objects.create(
        webhook=hook, event="order.partial", attempts=3, error=f"TLS: not valid for '{LONG_URL}'"
    )
    for page in visitor(browser, address, ann, viewport=window, color_scheme=scheme):
        looks_right(page, "/account/api/webhooks/")
        looks_right(page, f"/account/api/webhooks/messages/{row.pk}/")
        looks_right(page, f"/account/api/webhooks/{hook.pk}/")
        page.get_by_text("Show the secret").click()
        assert fits(page)
        assert page.evaluate(CUT_OFF) == []
