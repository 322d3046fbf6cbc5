"""No connection: a page of the shop's own says so, looks for one, and opens what was asked for when it is back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_started
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Service
from tests.browser.measuring import cut_off
from tests.browser.test_api_pages import PHONE, visitor
from tests.browser.test_story import found_by_axe
from tests.storefront.admin_rows import make_order

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser")]
HEADING = {"en": "You are offline", "ru": "Нет подключения к интернету"}
# Every address that is kept, whatever keeps it; and every address of a worker.
KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
  return found;
}"""
WORKERS = """async () => (await navigator.serviceWorker.getRegistrations())
  .map(({ active, scope }) => [active && new URL(active.scriptURL).pathname, new URL(scope).pathname])"""


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, transactional_db: None, ann: User) -> Iterator[Page]:
    """Ann's window, as small as a phone, whose browser runs workers."""
    yield from visitor(browser, live_server.url, ann, viewport=PHONE, color_scheme="dark", service_workers="allow")


def keeps(page: Page, language: str) -> None:
    """Wait until the worker of this language has taken over, and then open a page through it."""
    page.wait_for_function(
        """(path) => {
          const worker = navigator.serviceWorker.controller;
          return worker?.state === "activated" && new URL(worker.scriptURL).pathname === path;
        }""",
        arg=f"/sw-{language}.js",
    )
    page.reload()


def goes_offline(page: Page, path: str) -> None:
    page.context.set_offline(True)
    # Not page.goto(): it may fail by what the browser asked for beside the worker.
    page.evaluate("(path) => { location.href = path; }", path)
    expect(page.locator("[data-offline-status]")).to_be_attached()


def test_offline_when_a_page_is_opened_then_it_says_so_and_opens_it_once_the_connection_is_back(
    page: Page, ann: User, service: Service
) -> None:
    order = make_order(ann, service=service)
    page.goto("/orders/")
    keeps(page, "en")

    goes_offline(page, f"/orders/{order.pk}/")

    expect(page.get_by_role("heading", name=HEADING["en"])).to_be_visible()
    assert found_by_axe(page) == []
    assert cut_off(page) == []
    assert ann.email not in page.content()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(15, 21, 19)"  # --paper in the dark: the stylesheet has come with the page

    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-offline-status]")).to_have_text("Still no connection.")

    page.context.set_offline(False)
    expect(page.locator("#order")).to_be_visible()
    assert page.url.endswith(f"/orders/{order.pk}/")


def test_worker_when_pages_are_read_and_forms_sent_keeps_none_of_them_and_polls_pass_it_by(
    page: Page, ann: User, service: Service
) -> None:
    order = make_order(ann, service=service, status="pending")
    page.goto("/orders/")
    keeps(page, "en")
    by_worker, asked = [], []
    request_started.connect(lambda environ, **_more: asked.append(environ["PATH_INFO"]), weak=False)
    page.on("response", lambda answer: by_worker.append(answer.url) if answer.from_service_worker else None)

    for path in ("/", "/wallet/", "/account/", f"/orders/{order.pk}/"):
        page.goto(path)
    page.wait_for_load_state("networkidle")
    page.evaluate("htmx.ajax('GET', location.pathname, {target: '#order', swap: 'none'})")
    with page.expect_response("**/live/**"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.locator(".footer__languages button[value=en]").click()
    page.wait_for_load_state("networkidle")

    kept = page.evaluate(KEPT)
    assert {path for path in kept if not path.startswith("/static/")} == {"/offline/en/"}
    navigated = [url for url in by_worker if "/static/" not in url]
    assert not [url for url in navigated if "/live/" in url]
    assert asked.count("/sw-en.js") <= 1
    assert asked.count("/offline/en/") <= 1
    assert sum(f"/orders/{order.pk}/" in url for url in navigated) <= 2  # the page, and its second opening; no poll


def test_worker_when_the_reader_changes_the_language_keeps_that_page_alone(page: Page) -> None:
    page.goto("/")
    keeps(page, "en")
    page.locator(".footer__languages button[value=ru]").click()
    keeps(page, "ru")

    goes_offline(page, "/wallet/")

    expect(page.locator("html")).to_have_attribute("lang", "ru")
    assert [path for path in page.evaluate(KEPT) if path.startswith("/offline/")] == ["/offline/ru/"]
    assert page.evaluate(WORKERS) == [["/sw-ru.js", "/"]]


def test_worker_when_its_file_is_gone_leaves_with_all_it_kept(page: Page, settings: Any) -> None:
    settings.DEBUG = True  # the file is asked for each time, not once an hour
    page.goto("/")
    keeps(page, "en")

    settings.ROOT_URLCONF = "tests.browser.urls_without_worker"
    page.goto("/")

    page.wait_for_function(f"async () => !(await ({WORKERS})()).length && !(await ({KEPT})()).length")
