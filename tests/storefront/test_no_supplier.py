"""Customers deal with the shop: nothing that they read names whoever it buys from. The word for it is "we"."""

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client

from accounts.models import User
from catalog.models import Service
from orders.models import Order
from tests.security.addresses import Addresses, is_of_the_admin, routes
from tests.storefront.admin_rows import make_rows
from tests.storefront.test_locale import every_status_and_event
from tests.storefront.texts_source import marked_texts
from wallet.operations import adjust

WORD = re.compile(r"supplier|upstream|hstock|поставщик|апстрим", re.IGNORECASE)
ROOT = settings.BASE_DIR
LANGUAGES = [code for code, _name in settings.LANGUAGES]
# Where texts are staff's: the admin, what flags and reports say, the names of columns, settings and preferences.
STAFFS = re.compile(
    r"(?:\w+/admin(?:/|\.py)|templates/admin/|storefront/(?:admin|money_desk|monitoring|preference_pages|set_up)|\w+/models(?:/|\.py)"
    r"|orders/(?:reconciliation|accounting)/|orders/lifecycle/(?:attention|complaints|drift|staff_acts)\.py|orders/notices/admin_notices\.py"
    r"|orders/fulfilment/solvency\.py|catalog/pricing/explanations\.py|preferences/|\w+/preferences\.py"
    r"|support/first_answers/rules\.py|support/tickets/(?:of_orders|to_supplier)\.py)"
)


def translations(language: str) -> dict[tuple[str, str], str]:
    """Return what each text is in a language, by its context and itself."""
    path = ROOT / "locale" / language / "LC_MESSAGES" / "django.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        messages = [message for message in read_po(file, locale=language) if message.id]
    found = {}
    for message in messages:
        singular = message.id[0] if isinstance(message.id, tuple) else message.id
        found[message.context or "", singular] = str(message.string)
    return found


@pytest.mark.xdist_group("texts")  # one process reads all sources
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_that_customers_may_read_says_the_word(language: str) -> None:
    said = translations(language)
    found = [
        f"{file}: {singular!r}"
        for (context, singular, plural), file in sorted(marked_texts().items())
        if not STAFFS.match(file)
        and WORD.search(re.sub(r"%\(\w+\)s|\{\w*\}", "", f"{singular} {plural} {said.get((context, singular), '')}"))
    ]

    assert found == []


def test_no_template_of_the_pages_and_letters_says_the_word() -> None:
    found = []
    for path in sorted((ROOT / "templates").rglob("*")):
        name = str(path.relative_to(ROOT))
        if path.is_file() and not STAFFS.match(name):
            shown = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.DOTALL)
            found += [f"{name}: {word}" for word in WORD.findall(shown)]

    assert found == []


@pytest.mark.django_db
def test_no_page_of_a_customer_says_the_word() -> None:
    for number in (1, 2):
        make_rows(number)
    owner = User.objects.get(email="customer2@example.com")
    Service.objects.update(min_quantity=1)
    adjust(user=owner, amount_micros=100_000_000, note="Present", actor=None, reference="for all the orders")
    every_status_and_event(Order.objects.filter(user=owner, service__isnull=False).latest("pk"))
    addresses = Addresses(owner)
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    pages = {route.name: addresses.of(route) for route in routes() if not is_of_the_admin(route)}
    del pages["account_logout"]

    found, shown = [], 0
    for language in LANGUAGES:
        for name, address in pages.items():
            said = text_of(client.get(address, headers={"accept-language": language}))
            shown += bool(said)
            found += [f"{name}: {said[max(0, at.start() - 40) : at.end() + 40]}" for at in WORD.finditer(said)]

    assert found == []
    assert shown > 30 * len(LANGUAGES)


def text_of(answer: Any) -> str:
    """Return all that is in a page; "" for what is none, or leads elsewhere."""
    if answer.status_code != 200 or answer.streaming or "image/" in answer["Content-Type"]:
        return ""
    return str(answer.content.decode(errors="replace"))


def test_the_word_is_found_where_it_is() -> None:
    assert WORD.search("Наш Поставщик")
    assert STAFFS.match("orders/admin/requests.py")
    assert not STAFFS.match("orders/pages/views.py")
    assert Path(ROOT / "templates/orders/order_form.html").is_file()
