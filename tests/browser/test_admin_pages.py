"""Common pages of the admin in a browser: on a phone, in both themes and languages, they fit and are read aloud."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from jobs.models import StaffJob
from jobs.run import run_jobs
from orders.models import Order, Status
from tests.browser.test_api_pages import visitor
from tests.browser.test_set_up import NARROW, well_read
from tests.orders.attention import Flag, flag
from tests.storefront.admin_rows import ask, make_order, make_service
from tests.storefront.money_desk.test_desk import waits

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]
LIST, FILE = reverse("admin:orders_order_changelist"), reverse("admin:jobs_staffjob_list", args=["orders.order"])


@pytest.fixture
def order(ann: User) -> Order:
    """An order upstream works on, of a service with a long name, beside a payment and a question."""
    title = "Instagram Followers | Real | Super-Long-Name-Without-Any-Spaces-In-It-At-All-Whatsoever | 365 Days Refill"
    link = "https://www.instagram.com/" + "somebody_with_a_long_name" * 3
    found = make_order(ann, service=make_service(1), title=title, link=link, price_micros=90_000_000)
    Order.objects.filter(pk=found.pk).update(status=Status.IN_PROGRESS, upstream_id="700001")
    flag(found, Flag.OVERCHARGED)
    ask(ann, 1, order=found)
    waits(ann)
    return found


@pytest.fixture
def pages(
    browser: Browser, transactional_db: None, live_server: LiveServer, settings: Any, sam: User
) -> Callable[[str, str], Iterator[Page]]:
    """Sam at the admin on a phone, in a theme and a language."""
    settings.SITE_URL = live_server.url

    def opened(scheme: str, language: str) -> Iterator[Page]:
        options = {"viewport": NARROW, "color_scheme": scheme, "locale": language}
        return visitor(browser, live_server.url, sam, **options)

    return opened


LOOKS = [("light", "en-US"), ("dark", "ru-RU"), ("dark", "en-US"), ("light", "ru-RU")]


@pytest.mark.parametrize(("scheme", "language"), LOOKS)
def test_orders_customers_and_jobs_fit_and_are_read_aloud(pages: Any, order: Order, scheme: str, language: str) -> None:
    for page in pages(scheme, language):
        for address in (
            f"{LIST}?status__exact={Status.IN_PROGRESS}",
            reverse("admin:orders_order_change", args=[order.pk]),
            reverse("admin:accounts_user_change", args=[order.user_id]),
            FILE,
        ):
            page.goto(address)
            expect(page.locator("#content")).to_be_visible()
            well_read(page, leave_out=".select2")

        _begins_a_file(page)
        _asks_what_is_done_to_many(page)


def _begins_a_file(page: Page) -> None:
    page.goto(FILE)
    page.locator("#content form button[type=submit]").last.click()
    page.wait_for_url("**/jobs/staffjob/*/change/")
    well_read(page)
    run_jobs(clock=timezone.now, seconds=30)
    assert StaffJob.objects.get().state == StaffJob.State.DONE
    page.reload()
    well_read(page)


def _asks_what_is_done_to_many(page: Page) -> None:
    page.goto(LIST)
    page.evaluate(
        """() => {
          const form = document.querySelector("#changelist-form");
          form.querySelector("[name=_selected_action]").checked = true;
          form.querySelector("[name=action]").value = "note";
          form.submit();
        }"""
    )
    expect(page.locator("#content [name=note]")).to_be_visible()
    well_read(page)
