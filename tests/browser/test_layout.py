"""How pages stand: on paper, where a table has too little room, and that what is pressed keeps its size."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from catalog.models import Service
from orders.models import Kind
from tests.browser.measuring import cut_off
from tests.browser.test_walk import owner, visitors
from tests.workers import wait_for
from wallet.models import Receipt

__all__ = ["owner", "visitors"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PRESSED = (
    ".header, .footer, .facets, .listing__search, .listing__sort, .search-box, .filters, .statement-filter, .tabs, "
    ".pagination, .breadcrumbs, button, .button, input:not([type=hidden]), select, a[download]"
)


@pytest.fixture
def scheme() -> str:
    return "dark"


@pytest.fixture
def language() -> str:
    return "ru"


@pytest.fixture
def page(visitors: Iterator[tuple[bool, Page]]) -> Iterator[Page]:
    """The owner's window."""
    for signed_in, window in visitors:
        if signed_in:
            yield window


def test_pages_stand_as_they_should(page: Page, owner: User) -> None:
    on_paper(page, owner)
    narrow_table(page)
    chosen_tab(page)
    copying(page)
    long_names(page, owner)


def on_paper(page: Page, owner: User) -> None:
    order, receipt = (
        owner.orders.filter(kind=Kind.SERVICE).latest("pk"),
        Receipt.objects.filter(user=owner).latest("pk"),
    )
    page.emulate_media(media="print", color_scheme="dark")
    for address, told in (
        ("/catalog/search/?q=followers", ".service-row"),
        ("/orders/", ".order-table td"),
        (f"/orders/{order.pk}/", ".receipt__total"),
        ("/wallet/", ".ledger-table td"),
        (f"/wallet/receipts/{receipt.number}", ".sums__total"),
        ("/sms/numbers/history/", ".number-history td"),
    ):
        page.goto(address)
        expect(page.locator(told).first).to_be_visible()
        seen = page.locator(PRESSED).locator("visible=true")
        assert [one.evaluate("one => one.outerHTML.slice(0, 100)") for one in seen.all()] == [], address
        assert page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    # A sheet has room for the columns, whatever the window had.
    page.set_viewport_size({"width": 600, "height": 900})
    expect(page.locator(".number-history thead th").first).to_have_css("display", "table-cell")
    page.emulate_media(media="screen")
    expect(page.locator(".number-history td").first).to_have_css("display", "flex")


def narrow_table(page: Page) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    page.goto("/orders/")
    region = page.locator(".table-region")
    assert cut_off(page) == []
    widths = region.evaluate("one => [one.scrollWidth, one.clientWidth]")
    expect(region).to_have_attribute("tabindex", "0" if widths[0] > widths[1] else "-1")
    page.locator(".order-table td").last.evaluate("one => one.append('W'.repeat(200))")
    page.set_viewport_size({"width": 801, "height": 900})
    expect(region).to_have_attribute("tabindex", "0")
    region.focus()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: region.evaluate("one => one.scrollLeft") > 0, "the table scrolls")
    page.set_viewport_size({"width": 360, "height": 900})
    expect(page.locator(".order-table tbody tr").first).to_have_css("display", "grid")


def chosen_tab(page: Page) -> None:
    page.goto("/account/security/")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.9)
    for tab in page.locator(".header__nav a").all():
        expect(tab).to_be_in_viewport(ratio=1)


def copying(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account/api/")
    button = page.locator(".copy-button").first
    before = button.bounding_box()
    button.click()
    expect(button).to_contain_text("Скопировано")
    assert button.bounding_box() == before
    expect(button).to_contain_text("Копировать", timeout=5_000)
    assert button.bounding_box() == before


def long_names(page: Page, owner: User) -> None:
    order = owner.orders.filter(kind=Kind.SERVICE).latest("pk")
    order.title = "Высокопревосходительство" * 6
    order.save(update_fields=["title"])
    assert order.service_id
    Service.objects.filter(pk=order.service_id).update(name=order.title, short_title=order.title, short_titles={})
    for width in (360, 800):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/quick/")
        expect(page.locator(".quick .chip").first).to_contain_text("Высокопревосходительство")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.goto("/orders/")
        title = page.locator(".order-table tbody th").first
        assert title.evaluate("one => one.clientWidth") < width  # what is beside it is in sight, or nearly so
