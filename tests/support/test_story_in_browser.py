"""A question from its first word to its rating, as people see it: a rule answers, time passes, staff answers."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orders.models import Order
from support.models import Ticket
from support.tasks import come_back
from tests.browser.conftest import browser
from tests.browser.test_api_pages import DESK, PHONE, fits, visitor
from tests.browser.test_story import accessible

__all__ = ["browser"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]
State = Ticket.State


def test_slow_order_when_its_customer_asks_then_rule_time_staff_and_rating_follow(
    browser: Browser, live_server: LiveServer, order_of: Callable[..., Order], ann: User, sam: User
) -> None:
    order = order_of(hours=1)
    for shop in visitor(browser, live_server.url, ann, viewport=PHONE):
        # She asks from her order, and is answered at once.
        shop.goto(f"/orders/{order.pk}/")
        shop.get_by_role("link", name="Get help").click()
        shop.get_by_label("It takes too long").check()
        shop.get_by_label("Your message").fill("How long does it take?")
        shop.get_by_role("button", name="Send").click()
        expect(shop.get_by_text("Nine in ten orders of this service are done within 4 hours")).to_be_visible()
        assert Ticket.objects.get().state == State.WATCHED
        assert fits(shop)
        accessible(shop)

        for desk in visitor(browser, live_server.url, sam, viewport=DESK):
            desk.goto("/admin/support/ticket/")
            expect(desk.get_by_text("How long does it take?")).to_have_count(0)

            # Its time passes: now the ticket waits for staff.
            Ticket.objects.update(comes_back_at=timezone.now() - timedelta(minutes=1))
            come_back()
            desk.reload()
            desk.get_by_role("link", name=re.compile(r"slow|How long|Order #")).first.click()
            desk.get_by_label("Answer").fill("It has been started again.")
            desk.get_by_role("button", name="Send", exact=True).click()
            expect(desk.get_by_text("The answer has been sent.")).to_be_visible()
            expect(desk.get_by_text("0 tickets")).to_be_visible()

            # It appears while her page lies open; what she was saying about the answer stays when another one comes.
            expect(shop.get_by_text("It has been started again.", exact=True)).to_be_visible(timeout=25_000)
            shop.get_by_label("Yes").check()
            shop.get_by_label("Anything you'd like to add").fill("Thank you")
            desk.goto(f"/admin/support/ticket/{Ticket.objects.get().pk}/change/")
            desk.get_by_label("Answer").fill("It is done soon.")
            desk.get_by_role("button", name="Send", exact=True).click()
            expect(shop.get_by_text("It is done soon.", exact=True)).to_be_visible(timeout=25_000)
            shop.get_by_role("button", name="Send my rating").click()
            expect(shop.get_by_text("We read every rating")).to_be_visible()
            accessible(shop)

            desk.goto(f"/admin/support/ticket/{Ticket.objects.get().pk}/change/")
            expect(desk.get_by_text("Thank you")).to_be_visible()
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.rating, ticket.rating_text) == (State.ANSWERED, Ticket.Rating.GOOD, "Thank you")
