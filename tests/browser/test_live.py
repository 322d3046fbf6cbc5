"""Pages that lie open: the head keeps itself true, rests while nobody looks, and the note about the connection goes."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Service
from orders.models import Order, Status
from sms.models import Country, Number, Project
from tests.browser.test_api_pages import PHONE, visitor
from tests.storefront.admin_rows import make_order
from wallet.models import LedgerEntry
from wallet.operations import credit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
HIDE = "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})"
SHOW = "delete document.hidden"
ASK = "htmx.ajax('GET', '/nowhere/', {source: 'main', swap: 'none'}).catch(() => 0)"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, transactional_db: None, ann: User) -> Iterator[Page]:
    """Ann's window, as small as a phone."""
    yield from visitor(browser, live_server.url, ann, viewport=PHONE, color_scheme="light")


def has_code(user: User) -> None:
    country = Country.objects.create(code="us", name="United States")
    project = Project.objects.create(upstream_id="77", country=country, name="Telegram", price_upstream_micros=500_000)
    order = make_order(user, status=Status.COMPLETED)
    Number.objects.create(
        order=order, project=project, phone="+15550100", state="received", code="1", received_at=timezone.now()
    )


def look_again(page: Page) -> int:
    """Come back to the window; return the status of the answer to what its head asks then."""
    with page.expect_response("**/live/**") as answered:
        page.evaluate(LOOK_AGAIN)
    return answered.value.status


def test_header_when_something_changes_then_it_shows_and_says_so_once(page: Page, ann: User, service: Service) -> None:
    make_order(ann, service=service, status=Status.PENDING)
    orders, numbers = page.locator("[data-count=orders]"), page.locator("[data-count=numbers]")
    said = page.locator("[data-live-news]")
    page.goto("/account/")
    expect(orders.locator("b")).to_have_text("1")
    expect(numbers).to_be_hidden()
    assert look_again(page) == 204
    assert said.text_content() == ""

    credit(user=ann, amount_micros=5_000_000, kind=LedgerEntry.Kind.ADJUSTMENT, reference="more", note="n")
    make_order(ann, service=service, status=Status.PENDING)
    has_code(ann)
    assert look_again(page) == 200

    expect(page.locator("[data-balance]")).to_have_text("$105.00")
    expect(orders.locator("b")).to_have_text("2")
    expect(numbers).to_have_attribute("data-news", "")
    assert said.text_content() == "Your balance: $105.00. Open orders: 2. Codes received: 1."

    with page.expect_response("**/live/**"):
        page.goto("/sms/numbers/")  # there the code is looked at
    page.goto("/account/")
    expect(orders.locator("b")).to_have_text("2")
    expect(numbers).to_be_hidden()


def test_pages_when_nobody_sees_them_or_all_is_done_then_they_ask_nothing(
    page: Page, ann: User, service: Service
) -> None:
    order = make_order(ann, service=service, status=Status.PENDING)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(urlsplit(request.url).path))
    badge = page.locator("#order .status-badge").first
    page.clock.install()
    page.goto(f"/orders/{order.pk}/")
    page.wait_for_load_state("networkidle")

    page.evaluate(f"{HIDE}; {LOOK_AGAIN}")
    addresses.clear()
    page.clock.fast_forward(600_000)
    page.wait_for_timeout(200)
    assert addresses == []

    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, remains=0)
    page.evaluate(f"{SHOW}; {LOOK_AGAIN}")
    page.clock.fast_forward(6_000)
    expect(badge).to_have_attribute("data-status", "completed")
    assert set(addresses) == {"/live/", f"/orders/{order.pk}/"}

    addresses.clear()
    page.clock.fast_forward(30_000)
    page.wait_for_timeout(200)
    assert f"/orders/{order.pk}/" not in addresses


def test_connection_note_when_any_answer_comes_then_it_goes(page: Page) -> None:
    statuses: list[int] = []

    def answer(route: Route) -> None:
        route.fulfill(status=statuses[-1], body="") if statuses else route.abort()

    page.route("**/nowhere/", answer)
    page.goto("/orders/")
    page.wait_for_load_state("networkidle")
    note, other = page.locator("[data-failed-request=connection]"), page.locator("[data-failed-request=answer]")
    for status in (200, 204, 304, 404, 422, 500):
        statuses.clear()
        page.evaluate(ASK)
        expect(note).to_be_visible()

        statuses.append(status)
        page.evaluate(ASK)

        expect(note).to_be_hidden()
        assert other.is_visible() == (status in (404, 500))

    statuses.clear()
    page.evaluate(ASK)
    expect(note).to_be_visible()
    assert look_again(page) == 204  # the head's own question proves the connection, too
    expect(note).to_be_hidden()


def test_balance_when_its_reader_has_signed_out_then_the_tab_forgets_it(page: Page) -> None:
    page.goto("/orders/")
    page.wait_for_function("() => JSON.parse(sessionStorage.getItem('header'))?.balance")
    page.context.clear_cookies()

    page.goto("/")

    page.wait_for_function("() => sessionStorage.getItem('header') === null")
