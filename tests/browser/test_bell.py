"""The bell in the head of a page: it counts what is unread, says so once, and is quiet where the news are read."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from notifications.models import Notice
from notifications.outbox import tell_customer
from tests.browser.measuring import cut_off
from tests.browser.test_api_pages import PHONE, visitor
from tests.browser.test_live import look_again

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, transactional_db: None, ann: User) -> Iterator[Page]:
    """Ann's window, as small as a phone."""
    yield from visitor(browser, live_server.url, ann, viewport=PHONE, color_scheme="light")


def test_bell_when_news_come_then_they_are_counted_said_once_and_read_where_they_lead(page: Page, ann: User) -> None:
    tell_customer(ann, "a", "Order #1 is complete", "Followers\n\nDone.", url="/orders/mass/")
    badge, said = page.locator("[data-count=notices]"), page.locator("[data-live-news]")
    page.goto("/account/notices/")
    expect(badge.locator("b")).to_have_text("1")
    assert cut_off(page) == []

    tell_customer(ann, "b", "Order #2 is complete", "Likes\n\nDone.", url="/orders/")
    look_again(page)
    expect(badge.locator("b")).to_have_text("2")
    expect(said).to_have_text("Unread notices: 2.")

    page.goto("/orders/mass/")  # as from a mail
    expect(badge.locator("b")).to_have_text("1")
    assert Notice.objects.get(key="a").read_at is not None

    page.locator(".header__tool").first.click()
    row = page.locator(".news__row[data-unread]")
    expect(row).to_have_count(1)
    assert cut_off(page) == []
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/orders/$"))
    expect(badge).to_be_hidden()

    page.goto("/account/notices/")
    page.get_by_label("Orders: Email").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Orders: Email")).not_to_be_checked()
    expect(page.get_by_label("Orders: Bell")).to_be_checked()
