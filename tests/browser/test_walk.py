"""Every page at every width, in both themes and languages: nothing is cut off, nothing a weak eye stumbles over.

The list of the pages is in pages.py.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Service
from orders.models import Order, OrderEvent, Status
from sms.models import Number
from tests.browser.measuring import cut_off
from tests.browser.pages import PAGES, SHORT, Walked
from tests.browser.test_api_pages import visitor
from tests.browser.test_story import found_by_axe
from tests.security.addresses import Addresses
from tests.storefront.admin_rows import make_order, make_rows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser")]
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
WIDTHS = (360, 768, 1024, 1280)
LONG_TITLE = (
    "Instagram Followers | 100% Organic | Old Accounts | Worldwide | Start 0-1 Hour | 50K/Day | 365 Days Refill"
)
LONG_LINK = "https://www.instagram.com/p/CxYzAbCdEfGhIjKlMnOpQrStUvWxYz0123456789/?igsh=MzRlODBiNWFlZA=="


@pytest.fixture
def owner(transactional_db: None, settings: Any, live_server: LiveServer) -> User:
    """A customer with a row of everything, and with titles, links and amounts as long as they come."""
    settings.SITE_URL = live_server.url
    settings.REFERRAL_PERCENT = Decimal(5)
    make_rows(1)
    user = User.objects.get(email="customer1@example.com")
    service = Service.objects.latest("pk")
    Service.objects.filter(pk=service.pk).update(
        name=LONG_TITLE, refill=True, cancel=True, max_quantity=1_000_000_000, search_text=LONG_TITLE.lower()
    )
    Order.objects.filter(user=user, service=service).update(title=LONG_TITLE, link=LONG_LINK)
    for status in Status.values:
        order = make_order(
            user,
            service=service,
            title=LONG_TITLE,
            link=LONG_LINK,
            quantity=1_000_000,
            price_micros=1_234_567_891,
            remains=400_000,
            refunded_micros=123_456_789 if status in ("partial", "refunded") else 0,
            **({"claim_token": "0" * 32, "claim_deadline": timezone.now()} if status == "sending" else {}),
            status=status,
        )
        OrderEvent.objects.create(order=order, code=OrderEvent.Code.PROGRESS, status=order.status)
    number = Number.objects.latest("pk")
    for place, state in enumerate(("received", "expired", "canceled", "waiting")):
        order = make_order(user, status=Status.PENDING if state == "waiting" else Status.COMPLETED)
        Number.objects.create(
            order=order,
            project=number.project,
            phone=f"+1 555 010 00 {place:02}",
            state=state,
            code="123456" if state == "received" else "",
            content="123456 is your code for this account. Do not share it." if state == "received" else "",
            received_at=timezone.now() if state == "received" else None,
            expires_at=timezone.now() + timedelta(minutes=9),
        )
    return user


def walk(visitors: Iterable[tuple[bool, Page]], owner: User, pages: tuple[Walked, ...], *, language: str) -> list[str]:
    """Return what is wrong with each page, with its address and the width of the window."""
    addresses, found = Addresses(owner), []
    for signed_in, window in visitors:
        for page in pages:
            if page.signed_in == signed_in:
                address = page.address(addresses).replace("/en/", f"/{language}/")
                answer = window.goto(address)
                assert answer is not None
                assert answer.ok, address
                window.evaluate(UNFOLD)
                assert window.locator("html").get_attribute("lang") == language, address
                found += [f"{address} {fault}" for fault in faults(window)]
    return found


def faults(window: Page) -> Iterator[str]:
    """Yield what is wrong at every width, and for axe on a phone and at a desk."""
    for width in WIDTHS:
        window.set_viewport_size({"width": width, "height": 900})
        window.wait_for_function("(width) => matchMedia(`(width: ${width}px)`).matches", arg=width)
        yield from (f"at {width}: {fault}" for fault in cut_off(window))
        if width in (WIDTHS[0], WIDTHS[-1]):
            yield from (f"at {width}: {fault}" for fault in found_by_axe(window))


@pytest.fixture
def visitors(
    browser: Browser, live_server: LiveServer, owner: User, scheme: str, language: str
) -> Iterable[tuple[bool, Page]]:
    """One window after the other: nobody signed in, then the owner."""

    def windows() -> Iterator[tuple[bool, Page]]:
        for user in (None, owner):
            locale = {"en": "en-US", "ru": "ru-RU"}[language]
            for window in visitor(browser, live_server.url, user, color_scheme=scheme, locale=locale):
                yield user is not None, window

    return windows()


@pytest.mark.parametrize(("scheme", "language"), [("dark", "ru")])
def test_pages_that_are_used_most_are_whole_and_accessible(
    visitors: Iterable[tuple[bool, Page]], owner: User, language: str
) -> None:
    assert walk(visitors, owner, SHORT, language=language) == []


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_whole_and_accessible(visitors: Iterable[tuple[bool, Page]], owner: User, language: str) -> None:
    assert walk(visitors, owner, PAGES, language=language) == []
