"""What a reader's own browser does: times in their zone, what is tapped is copied, cards that are done fold away."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.moments import write_moment
from orders.models import Order, Status
from sms.models import Country, Number, Project, SuccessRate
from sms.operations import buy_numbers, cancel_number
from tests.browser.test_api_pages import DESK, fits, visitor
from tests.browser.test_story import accessible
from wallet.models import LedgerEntry

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]
WAITING = "/sms/numbers/"
MORNING = datetime(2026, 1, 15, 23, 3, tzinfo=UTC)
NARROW = {"width": 360, "height": 800}


@pytest.fixture
def numbers(ann: User, live_server: LiveServer) -> list[Order]:
    """A number that waits, one that waits long enough to be replaced, one that is given up, one that got its code."""
    projects = []
    for code, name, price in (("us", "United States", 500_000), ("gb", "United Kingdom", 400_000)):
        country = Country.objects.create(code=code, name=name)
        projects.append(
            Project.objects.create(
                upstream_id=f"{code}-1", country=country, name="Telegram", price_upstream_micros=price
            )
        )
        SuccessRate.objects.create(
            project=projects[-1], observed=1_240, received=1_170, median_seconds=14, counted_at=timezone.now()
        )
    orders = buy_numbers(user=ann, project=projects[0], quantity=4, request_id="four")
    now = timezone.now()
    Order.objects.update(status=Status.PENDING, sent_at=now - timedelta(seconds=40), upstream_id=None)
    Number.objects.update(state=Number.State.WAITING, expires_at=now + timedelta(minutes=15))
    for place, order in enumerate(orders):
        Order.objects.filter(pk=order.pk).update(upstream_id=f"9{place}")
        Number.objects.filter(order=order).update(phone=f"+1415555010{place}")
    Order.objects.filter(pk=orders[1].pk).update(sent_at=now - timedelta(minutes=17))
    cancel_number(orders[2].pk, user=ann)
    _receive(orders[3], now - timedelta(minutes=9))
    return list(Order.objects.order_by("pk"))


def in_zone(at: datetime, zone: str) -> str:
    """Return the moment as an English page writes it there."""
    with timezone.override(ZoneInfo(zone)):
        return write_moment(at).rpartition(" ")[0]


def _receive(order: Order, at: datetime) -> None:
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, finished_at=at)
    Number.objects.filter(order=order).update(state=Number.State.RECEIVED, code="482913", received_at=at)


def tap(text: Locator) -> None:
    """Tap where the text stands, whatever lies over it."""
    text.click(force=True)


def look(page: Page, name: str) -> None:
    """Keep a picture where SHOTS names a folder."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_cards_say_what_each_button_does_and_what_is_tapped_is_copied(
    browser: Browser, live_server: LiveServer, ann: User, numbers: list[Order]
) -> None:
    waiting, ripe, given_up, received = (f"#number-{order.pk}" for order in numbers)
    options = {"permissions": ["clipboard-read", "clipboard-write"], "viewport": DESK, "color_scheme": "light"}
    for page in visitor(browser, live_server.url, ann, **options):
        page.goto(WAITING)
        card = page.locator(waiting)

        expect(card.locator(".ring time")).to_have_text(re.compile(r"1[45]:\d\d"))
        expect(card.locator(".ring")).to_have_attribute("data-ticking", "")
        left = float(card.locator(".ring").evaluate("ring => ring.style.getPropertyValue('--left')"))
        assert 0.9 < left < 1
        expect(card.locator(".number-actions > li")).to_have_count(3)
        expect(card.get_by_role("button", name="Another number")).to_be_disabled()
        expect(page.locator(f"{ripe} .number-actions")).to_contain_text("From United States, for $0.625.")
        expect(page.locator(f"{ripe} .number-actions")).to_contain_text("94% success")
        expect(page.locator(given_up)).to_contain_text("Canceled by you")

        tap(card.get_by_text("+1 415-555-0100"))
        expect(card.locator(".copy-button").first).to_contain_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "+14155550100"
        tap(page.locator(f"{received} .number-card__code strong"))
        expect(page.locator(f"{received} .number-card__code .copy-button")).to_contain_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "482913"

        for window, scheme in ((NARROW, "dark"), (DESK, "light")):
            page.set_viewport_size(window)
            page.emulate_media(color_scheme=scheme)
            page.locator(f"{ripe} details:has-text('Choose the country') > summary").click()
            accessible(page)
            assert fits(page)
            look(page, f"cards-{window['width']}-{scheme}")

        # The card one is at is not folded away; once it is left it is, and what is opened stays open.
        page.locator(f"{received} .number-card__code .copy-button").focus()
        _receive(numbers[3], timezone.now() - timedelta(minutes=11))
        Number.objects.filter(order=numbers[0]).update(expires_at=timezone.now() + timedelta(minutes=3))
        expect(card.locator(".ring time")).to_have_text(re.compile(r"2:\d\d"))
        expect(page.locator(f"#numbers > {received}")).to_be_visible()
        page.locator(f"{received} .number-card__code .copy-button").blur()
        expect(page.locator(f"#number-done {received}")).to_have_count(1)
        page.get_by_text("1 finished number").click()
        Number.objects.filter(order=numbers[0]).update(expires_at=timezone.now() + timedelta(minutes=9))
        expect(card.locator(".ring time")).to_have_text(re.compile(r"8:\d\d"))
        expect(page.locator(received)).to_be_visible()
        look(page, "cards-done")

    # Without a clipboard, as on plain HTTP, what is tapped is copied all the same; without a script it can be selected.
    for page in visitor(browser, live_server.url, ann, **options):
        page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined})")
        page.goto(WAITING)
        tap(page.locator(waiting).get_by_text("+1 415-555-0100"))
        expect(page.locator(f"{waiting} .copy-button").first).to_contain_text("Copied")
    for page in visitor(browser, live_server.url, ann, java_script_enabled=False):
        page.goto(f"{WAITING}?still")
        expect(page.locator(f"{waiting} .copy-button").first).to_be_hidden()
        expect(page.locator(f"{waiting} .ring__left")).to_have_attribute("stroke-dasharray", re.compile(r"^9\d 100$"))


def test_times_are_in_the_readers_zone_and_words_stay_true(
    browser: Browser, live_server: LiveServer, ann: User, numbers: list[Order]
) -> None:
    Number.objects.filter(order=numbers[3]).update(created_at=timezone.now() - timedelta(minutes=12, seconds=5))
    Number.objects.filter(order=numbers[3]).update(code="", content_wiped_at=MORNING)
    paid_at = LedgerEntry.objects.latest("pk").created_at
    for page in visitor(browser, live_server.url, ann, timezone_id="Asia/Tokyo", viewport=DESK, color_scheme="light"):
        page.clock.install()
        page.goto("/sms/numbers/history/")
        time = page.locator("time", has_text="12 min ago")

        expect(time).to_have_attribute("title", re.compile(r"20\d\d at \d.*GMT\+9$"))
        expect(page.get_by_text("deleted on Jan 16, 2026")).to_be_visible()  # midnight has passed in Tokyo
        page.clock.fast_forward("01:05")
        expect(page.locator("time", has_text="13 min ago")).to_be_visible()

        page.goto("/wallet/")
        expect(page.locator(".ledger-table time").first).to_have_text(in_zone(paid_at, "Asia/Tokyo"))
        accessible(page)
    for page in visitor(browser, live_server.url, ann, timezone_id="Asia/Tokyo", java_script_enabled=False):
        page.goto("/wallet/")
        expect(page.locator(".ledger-table time").first).to_have_text(f"{in_zone(paid_at, 'UTC')} UTC")
        page.goto("/sms/numbers/history/")
        expect(page.get_by_text("deleted on Jan 15, 2026")).to_be_visible()
        expect(page.get_by_text("12 min ago").first).to_be_hidden()
        expect(page.locator("time .time__exact").first).to_be_visible()


def test_amounts_below_each_other_are_aligned_at_the_point(
    browser: Browser, live_server: LiveServer, ann: User, numbers: list[Order], settings: Any
) -> None:
    where = """cell => { const text = cell.firstChild; const range = document.createRange();
        const point = text.data.search(/[.,](?=\\d+\\D*$)/); range.setStart(text, point);
        range.setEnd(text, point + 1); return Math.round(range.getBoundingClientRect().left); }"""
    for locale in ("en-US", "ru-RU"):
        for page in visitor(browser, live_server.url, ann, locale=locale, viewport=DESK, color_scheme="light"):
            page.goto("/wallet/")
            cells = page.locator(".ledger-table td:last-child .money").all()

            decimals = {cell.get_attribute("data-decimals") for cell in cells}
            assert {"2", "3"} <= decimals
            places = [cell.evaluate(where) for cell in cells]
            assert max(places) - min(places) <= 1
            look(page, f"ledger-{locale}")
