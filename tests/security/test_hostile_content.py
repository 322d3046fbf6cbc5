"""Every text of the shop is a script somebody planted; no page of it runs one."""

from contextlib import suppress
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.db.models.signals import pre_save
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser.conftest import browser
from tests.browser.test_api_pages import DESK, visitor
from tests.storefront.admin_rows import make_rows
from tests.walk import walk

__all__ = ["browser"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser"), pytest.mark.django_db(transaction=True)]

OURS = ("privacy", "api", "support", "sms", "orders", "catalog", "wallet", "notifications", "accounts")
PLANTED = "'\"></script><img src=x onerror=window.planted=1>"
# What is a word of ours and not somebody's text, although the column would hold one.
NO_TEXT = {"currency", "gateway", "reference", "language", "type", "event", "subject", "key", "mode", "address"}


def plant() -> int:
    """Write the script into every column that holds somebody's text; return in how many it stands now."""
    planted = 0
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            fields = [field for field in model._meta.concrete_fields if _holds_text(field)]
            with suppress(DatabaseError), transaction.atomic():  # some rows are never edited
                if fields:
                    model._base_manager.update(**{field.name: PLANTED for field in fields})
            planted += sum(model._base_manager.filter(**{field.name: PLANTED}).exists() for field in fields)
    return planted


def plant_at_birth(sender: type[models.Model], instance: models.Model, **_signal: Any) -> None:
    """Write the script into a new row."""
    if sender._meta.app_label in OURS:
        for field in filter(_holds_text, sender._meta.concrete_fields):
            setattr(instance, field.name, PLANTED)


def _holds_text(field: models.Field) -> bool:
    return (
        type(field) in (models.CharField, models.TextField)
        and not (field.choices or field.unique or field.name in NO_TEXT or "encrypted" in field.name)
        and (field.max_length or 1000) > len(PLANTED)
        and not any(field.name in getattr(one, "fields", ()) for one in field.model._meta.constraints)
    )


@pytest.fixture
def address(transactional_db: None, settings: Any, live_server: LiveServer) -> str:
    settings.SITE_URL = live_server.url
    pre_save.connect(plant_at_birth)
    try:
        for number in (1, 2):
            make_rows(number)
    finally:
        pre_save.disconnect(plant_at_birth)
    assert plant() > 40
    return live_server.url


def test_no_page_of_a_customer_runs_what_somebody_planted(browser: Browser, address: str) -> None:
    owner = User.objects.get(email="customer2@example.com")
    pages = read(owner, "/", "/orders/", "/wallet/", "/sms/", "/sms/numbers/", "/account/")
    assert len(pages) > 30

    assert ran(browser, pages) == []


def test_no_page_of_the_admin_runs_what_somebody_planted(browser: Browser, address: str, sam: User) -> None:
    pages = read(sam, "/admin/")
    assert len(pages) > 100

    assert ran(browser, pages) == []


@pytest.mark.long
def test_no_page_with_its_scripts_and_styles_runs_what_somebody_planted(
    browser: Browser, address: str, sam: User
) -> None:
    for user, starts in ((User.objects.get(email="customer2@example.com"), ["/", "/account/"]), (sam, ["/admin/"])):
        for page in visitor(browser, address, user, viewport=DESK):
            found = watched(page)
            for path in read(user, *starts):
                page.goto(path)
                look(page, path, found)
            assert found == []


def read(user: User, *starts: str) -> dict[str, str]:
    """Return the HTML of every kind of page that this user gets to, by address."""
    client = Client()
    client.force_login(user)
    pages: dict[str, str] = {}
    walk(client, *starts, of_a_kind=1, look=pages.__setitem__)
    return pages


def ran(browser: Browser, pages: dict[str, str]) -> list[str]:
    """Show the pages without anything around them, content policy included; return those that ran the script."""
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/*", lambda route: route.abort())
        found = watched(page)
        for path, text in pages.items():
            page.set_content(text, wait_until="load")
            look(page, path, found)
    return found


def watched(page: Page) -> list[str]:
    """Return the list that says what a content policy had to stop, from now on."""
    found: list[str] = []

    def complaint(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text and "inline" in message.text:
            found.append(f"{page.url}: {message.text}")

    page.on("console", complaint)
    return found


def look(page: Page, path: str, found: list[str]) -> None:
    if page.evaluate("window.planted === 1"):
        found.append(f"{path}: ran it")
        page.evaluate("delete window.planted")
