"""The money desk in a browser: a queue worked off by keys alone, and pages that fit and are read aloud."""

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from support.models import Attachment, AttachmentContent, Message, Ticket
from tests.browser.test_api_pages import DESK, visitor
from tests.browser.test_set_up import NARROW, well_read
from tests.storefront.money_desk.test_desk import waits
from tests.wallet.by_hand import move
from wallet.models import GatewayEvent, Receivable, TopUp

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]
TRANSFERS = "/admin/money/?tab=transfers"


@pytest.fixture
def address(transactional_db: None, live_server: LiveServer, settings: Any) -> str:
    settings.SITE_URL = live_server.url
    return live_server.url


@pytest.fixture
def queue(ann: User, sam: User) -> list[TopUp]:
    """Three transfers, the second with a slip; a card payment, a move and a debt."""
    found = [waits(ann, attention=f"transfer {number} is declared") for number in (1, 2, 3)]
    ticket = Ticket.objects.create(user=ann, top_up=found[1], reason="payment", subject="My transfer", state="answered")
    message = Message.objects.create(ticket=ticket, kind="customer", author=ann, text="Here is the slip. " * 20)
    picture = io.BytesIO()
    Image.new("RGB", (900, 500), "#336699").save(picture, "PNG")
    slip = Attachment.objects.create(message=message, name="slip.png", kind="png", size=picture.tell())
    AttachmentContent.objects.create(attachment=slip, data=picture.getvalue())
    card = waits(ann, "stripe", "paid too little", received_micros=4_000_000, gateway_id="cs_test_" + "x" * 60)
    for kind in ("checkout.session.completed", "charge.updated"):
        GatewayEvent.objects.create(gateway="stripe", kind=kind, top_up=card, outcome="applied", reason="too little")
    move(ann, sam, 150_000_000)
    Receivable.objects.create(user=ann, amount_micros=5_000_000, note="taken back")
    return found


def looked_at(page: Page) -> Any:
    return page.locator("[data-queue] [aria-current]")


def test_a_queue_is_worked_off_by_keys_alone(
    browser: Browser, address: str, sam: User, ann: User, queue: list[TopUp]
) -> None:
    for page in visitor(browser, address, sam, viewport=DESK):
        page.goto("/admin/money/")
        expect(page.get_by_role("heading", name="What the gateway said")).to_be_visible()
        page.keyboard.press("2")
        page.wait_for_url(f"**{TRANSFERS}")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(looked_at(page)).to_contain_text("transfer 2")
        slip = page.get_by_role("img", name="slip.png")
        expect(slip).to_be_visible()
        expect(slip).to_have_js_property("naturalWidth", 900)  # once it has been loaded

        page.keyboard.press("c")
        amount = page.get_by_label("Total received")
        expect(amount).to_be_focused()
        page.keyboard.type("10")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The payment has been confirmed and credited.")).to_be_visible()
        expect(looked_at(page)).to_contain_text("transfer 3")

        page.keyboard.press("d")
        expect(page.get_by_role("button", name="Decline")).to_be_focused()
        page.keyboard.press("d")  # a key that is pressed twice does not act twice
        page.keyboard.press("Enter")
        expect(page.get_by_text("The payment has been declined.")).to_be_visible()
        expect(looked_at(page)).to_contain_text("transfer 1")

        page.evaluate("localStorage.setItem('shortcuts-off', '1')")
        page.goto(TRANSFERS)
        page.keyboard.press("d")
        page.keyboard.press("2")
        expect(page.locator("#modal-content")).to_be_hidden()
    assert [TopUp.objects.get(pk=row.pk).status for row in queue] == ["pending", "paid", "declined"]


def keydown(page: Page, key: str, code: str, **more: bool) -> None:
    """Press a key on a keyboard whose letters stand elsewhere than on ours, which `Keyboard.press` cannot do."""
    page.evaluate(
        "(said) => document.body.dispatchEvent(new KeyboardEvent('keydown', said))",
        {"key": key, "code": code, "bubbles": True, "cancelable": True, **more},
    )


def test_keys_are_those_that_are_written_and_act_once(
    browser: Browser, address: str, sam: User, queue: list[TopUp]
) -> None:
    for page in visitor(browser, address, sam, viewport=DESK):
        dialog = page.locator("#modal-content")
        page.goto(TRANSFERS)
        keydown(page, "e", "KeyD")  # Dvorak: the key of our "d"
        keydown(page, "d", "KeyH", repeat=True)  # still held down since the page before
        page.keyboard.press("j")
        expect(page.locator("[data-queue] a").first).to_be_focused()
        expect(dialog).to_be_hidden()

        keydown(page, "d", "KeyH")
        expect(dialog.get_by_role("button", name="Decline")).to_be_focused()
        page.goto(TRANSFERS)
        keydown(page, "в", "KeyD")  # Cyrillic letters on the same keys
        expect(dialog.get_by_role("button", name="Decline")).to_be_focused()


@pytest.mark.parametrize(("window", "scheme"), [(NARROW, "light"), (NARROW, "dark"), (DESK, "light"), (DESK, "dark")])
def test_every_tab_fits_and_is_read_aloud(
    browser: Browser, address: str, sam: User, queue: list[TopUp], window: Any, scheme: str
) -> None:
    for page in visitor(browser, address, sam, viewport=window, color_scheme=scheme):
        for tab in ("payments", f"transfers&at={queue[1].pk}", "moves", "supplier", "receivables", "books"):
            page.goto(f"/admin/money/?tab={tab}")
            expect(page.locator("#content")).to_be_visible()
            well_read(page)
