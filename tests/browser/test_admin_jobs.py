"""The commonest jobs of each role in a browser, from opening the admin to done: none takes more than four presses.

docs/admin.md has the same table. A press is a click, or Enter in the panel that searches everything; typing is none.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.rights import CATALOG, FINANCE, SUPPORT
from catalog.models import Service, SyncRun
from orders.models import HoldReason, Order, ServiceRequest, Status
from support.models import Ticket
from tests.browser.test_api_pages import DESK, visitor
from tests.orders.attention import Flag, flag, make_lost
from tests.security.staff import in_role
from tests.storefront.admin_rows import ask, make_order, make_service
from tests.storefront.money_desk.test_desk import waits
from tests.wallet.by_hand import move
from wallet.models import MoneyRequest, TopUp

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]
MOST = 4


class Desk:
    """Somebody at the admin's first page, whose presses are counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.presses = page, 0
        page.goto("/admin/")

    def press(self, what: Locator) -> None:
        """Click something."""
        what.click()
        self.presses += 1

    def link(self, name: str) -> None:
        """Click a link of the page or of its bar."""
        self.press(self.page.get_by_role("link", name=name, exact=True).first)

    def waiting(self, text: str) -> None:
        """Click a line of the queue."""
        self.press(self.page.locator("[data-queue] a", has_text=text).first)

    def submit(self, name: str) -> None:
        """Press the button of a dialog or form."""
        self.press(self.page.get_by_role("button", name=name, exact=True).last)

    def find(self, typed: str, shown: str) -> None:
        """Search everything for what is typed, and open the row that is shown for it."""
        self.page.keyboard.press("Control+k")
        self.page.locator("#search-input-command").fill("")
        self.page.keyboard.type(typed)
        rows = self.page.locator("#command-results-list li")
        expect(rows.filter(has_text=shown).first).to_be_visible()
        place = rows.all_inner_texts().index(next(text for text in rows.all_inner_texts() if shown in text))
        for _step in range(place + 1):  # from the box itself
            self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/change/")
        self.presses += 1

    def done(self, said: str) -> None:
        """Expect to read that it is done, after no more presses than it may take."""
        expect(self.page.get_by_text(said).first).to_be_visible()
        assert self.presses <= MOST, self.presses


@pytest.fixture
def address(transactional_db: None, live_server: LiveServer, settings: Any) -> str:
    settings.SITE_URL = live_server.url
    return live_server.url


def at_work(browser: Browser, address: str, role: str) -> Iterator[Desk]:
    for page in visitor(browser, address, in_role("clerk@example.com", role), viewport=DESK):
        yield Desk(page)


@pytest.fixture
def order(ann: User) -> Order:
    return make_order(ann, service=make_service(1), title="Followers of the world", price_micros=90_000_000)


# --- Finance ----------------------------------------------------------------------------------------------------------


def test_finance_refunds_an_order_whose_answer_never_came(browser: Browser, address: str, order: Order) -> None:
    make_lost(order)
    for desk in at_work(browser, address, FINANCE):
        desk.waiting("Followers of the world")
        desk.link("Refund the order")
        desk.submit("Refund the order")
        desk.done("The order has been refunded.")
    order.refresh_from_db()
    assert (order.status, order.refunded_micros) == (Status.FAILED, order.price_micros)


def test_finance_sends_a_held_order_anyway(browser: Browser, address: str, order: Order) -> None:
    details = {"cost_micros": 95_000_000, "paid_micros": 90_000_000}
    Order.objects.filter(pk=order.pk).update(held_because=HoldReason.LOSS, held_details=details)
    flag(order, Flag.SOLD_AT_A_LOSS, **details)
    for desk in at_work(browser, address, FINANCE):
        desk.waiting("Followers of the world")
        desk.link("Send anyway")
        desk.submit("Send anyway")
        desk.done("The order is back in its place in the queue.")
    assert Order.objects.get(pk=order.pk).held_because == ""


def test_finance_refunds_a_part(browser: Browser, address: str, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, upstream_id="77")
    for desk in at_work(browser, address, FINANCE):
        desk.find(f"#{order.pk}", "Followers of the world")
        desk.link("Refund a part")
        desk.page.get_by_label("Amount").fill("10")
        desk.page.get_by_label("Reason").fill("It was slow.")
        desk.submit("Refund a part")
        desk.done("$10.00 has been refunded.")
    assert Order.objects.get(pk=order.pk).refunded_micros == 10_000_000


def test_finance_confirms_a_transfer(browser: Browser, address: str, ann: User) -> None:
    transfer = waits(ann, attention="transfer is declared")
    for desk in at_work(browser, address, FINANCE):
        desk.waiting("transfer is declared")
        desk.link("Confirm the payment")
        desk.page.get_by_label("Total received").fill("10")
        desk.submit("Confirm the payment")
        desk.done("The payment has been confirmed and credited.")
    assert TopUp.objects.get(pk=transfer.pk).status == TopUp.Status.PAID


def test_finance_approves_what_a_colleague_asked_for(browser: Browser, address: str, ann: User, sam: User) -> None:
    asked = move(ann, sam, 150_000_000)
    assert asked.state == MoneyRequest.State.WAITING
    for desk in at_work(browser, address, FINANCE):
        desk.waiting("150")
        desk.link("Approve")
        desk.submit("Approve")
        desk.done("Approved and booked.")
    assert MoneyRequest.objects.get(pk=asked.pk).state == MoneyRequest.State.DONE


# --- Support ----------------------------------------------------------------------------------------------------------


def test_support_answers_a_question(browser: Browser, address: str, ann: User) -> None:
    ticket = ask(ann, 1)
    for desk in at_work(browser, address, SUPPORT):
        desk.waiting("Question 1")
        form = desk.page.locator("#answer")
        form.locator("textarea").first.fill("It arrives tomorrow.")
        desk.press(form.get_by_role("button", name="Send", exact=True))
        desk.done("The answer has been sent.")
    assert Ticket.objects.get(pk=ticket.pk).messages.filter(text="It arrives tomorrow.", kind="staff").exists()


def test_support_arranges_a_refill(browser: Browser, address: str, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, upstream_id="77")
    request = ServiceRequest.objects.create(order=order, kind=ServiceRequest.Kind.REFILL, created_at=timezone.now())
    for desk in at_work(browser, address, SUPPORT):
        desk.waiting("Followers of the world")
        desk.link("Done")
        desk.submit("Done")
        desk.done("The request is done. The customer can see it.")
    assert ServiceRequest.objects.get(pk=request.pk).state == ServiceRequest.State.DONE


def test_support_finds_an_order_by_its_link_and_reads_what_happened(
    browser: Browser, address: str, order: Order
) -> None:
    for desk in at_work(browser, address, SUPPORT):
        desk.find(order.link, "Followers of the world")
        desk.done("What happened")
        assert desk.page.url.endswith(reverse("admin:orders_order_change", args=[order.pk]))


def test_support_blocks_a_customer(browser: Browser, address: str, ann: User) -> None:
    for desk in at_work(browser, address, SUPPORT):
        desk.find(ann.email, ann.email)
        desk.press(desk.page.get_by_role("link", name="Block this account"))  # behind an icon
        desk.page.get_by_label("Reason").first.fill("Stolen cards.")
        desk.submit("Block")
        expect(desk.page.get_by_text("Stolen cards.").first).to_be_visible()
        assert desk.presses <= MOST
    assert not User.objects.get(pk=ann.pk).is_active


# --- Catalog ----------------------------------------------------------------------------------------------------------


def test_catalog_hides_a_service(browser: Browser, address: str, order: Order) -> None:
    for desk in at_work(browser, address, CATALOG):
        desk.find("Service 1", "Service 1")
        desk.press(desk.page.get_by_label("Visible", exact=False).first)
        desk.submit("Save")
        expect(desk.page.get_by_text("was changed successfully").first).to_be_visible()
        assert desk.presses <= MOST
    assert not Service.objects.get(pk=order.service_id).visible


def test_catalog_drops_a_sync_that_was_held_back(browser: Browser, address: str, db: None) -> None:
    run = SyncRun.objects.create(
        kind=SyncRun.Kind.CATALOG,
        status=SyncRun.Status.QUARANTINED,
        finished_at=timezone.now(),
    )
    for desk in at_work(browser, address, CATALOG):
        desk.press(desk.page.locator("[data-queue] a").first)
        desk.link("Drop")
        desk.submit("Drop")
        desk.done("The answer has been dropped; the catalog stays as it is.")
    run.refresh_from_db()
    assert run.status != SyncRun.Status.QUARANTINED


# --- And nobody does the others' --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "page", "buttons"),
    [
        (SUPPORT, "orders_order", ("Refund the order", "Refund a part", "Send anyway", "Hold back")),
        (CATALOG, "wallet_topup", ()),
        (FINANCE, "support_ticket", ()),
    ],
)
def test_roles_are_offered_nothing_of_what_others_decide(
    browser: Browser, address: str, order: Order, ann: User, role: str, page: str, buttons: tuple[str, ...]
) -> None:
    rows = {"orders_order": order, "wallet_topup": waits(ann, attention="odd"), "support_ticket": ask(ann, 1)}
    for desk in at_work(browser, address, role):
        answer = desk.page.goto(reverse(f"admin:{page}_change", args=[rows[page].pk]))
        assert answer is not None
        if not buttons:
            assert answer.status == 403
        for button in buttons:
            expect(desk.page.get_by_role("link", name=button)).to_have_count(0)
