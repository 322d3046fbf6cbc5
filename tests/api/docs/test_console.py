"""The console: any action as the signed-in customer; `add` is tried first, what cannot be undone is asked about."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from api.docs.console import MAX_SHOWN
from api.registry import ACTIONS
from catalog.models import Service
from orders.models import Order, Status
from sms.models import Number
from tests.api import world
from tests.pages import HTMX, hidden, markup, page_words
from wallet.models import Wallet

pytestmark = pytest.mark.django_db
URL = "/api/console/"
LINK = "https://instagram.com/username"
ADD = {"action": "add", "service": "1", "link": LINK, "quantity": "1000"}


@pytest.fixture
def browser(ann: User, settings: Any) -> Client:
    """Ann's browser, in the document's shop; it sends the token that her pages carry."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    world.build_world(ann)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    client.get(URL)
    return client


def press(browser: Client, htmx: bool = True, **fields: str) -> Any:
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
    return browser.post(URL, {**fields, **token}, headers=HTMX if htmx else None)


def answer_of(response: Any) -> str:
    """The JSON that the page shows."""
    shown = re.findall(r"<pre><code>(.*?)</code></pre>", response.content.decode(), re.DOTALL)
    return html.unescape(shown[0])


def money(user: User) -> int:
    return Wallet.objects.get(user=user).balance_micros


def test_console_when_a_visitor_comes_then_they_are_asked_to_sign_in(client: Client) -> None:
    assert client.get(URL).url == f"/accounts/login/?next={URL}"
    assert client.post(URL, {"action": "balance"}).url.startswith("/accounts/login/")


def test_console_when_the_token_is_missing_then_nothing_is_sent(browser: Client) -> None:
    assert browser.post(URL, {**ADD, "run": "real"}).status_code == 403
    assert not Order.objects.filter(link=LINK, quantity=1000, status=Status.PAID).exclude(pk=world.UNSENT).exists()


@pytest.mark.parametrize("htmx", [True, False])
def test_console_when_balance_is_asked_then_answer_curl_status_and_time_are_shown(browser: Client, htmx: bool) -> None:
    page = press(browser, htmx, action="balance")

    assert answer_of(page) == '{\n  "balance": "100.00",\n  "currency": "USD"\n}'
    assert (
        'curl -X POST http://testserver/api/v2 \\\n  -d "key=YOUR_API_KEY" \\\n  -d "action=balance"'
        in html.unescape(page.content.decode())
    )
    assert re.search(r"HTTP 200 · \d+ ms", page_words(page))
    assert page["X-RateLimit-Limit"]
    assert ("<html" in page.content.decode()) is not htmx


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if action.reads])
def test_console_when_an_action_reads_then_it_is_answered_at_once(browser: Client, name: str) -> None:
    order = world.NUMBER if name.startswith("sms_") else world.ORDER
    page = press(browser, action=name, order=str(order), service="1", refill="701", limit="1")

    assert page.status_code == 200
    assert '"error"' not in answer_of(page)


def test_console_when_add_is_sent_then_it_is_only_tried(browser: Client, ann: User) -> None:
    orders = Order.objects.count()

    page = press(browser, **ADD)

    text = page_words(page)
    assert "This order would be accepted" in text
    assert "Price $0.50" in text
    assert "Balance now $100.00 Balance after $99.50" in text
    assert (money(ann), Order.objects.count()) == (100_000_000, orders)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"quantity": "5"}, "Quantity must be between 100 and 10000"),
        ({"service": ""}, "Service ID is required"),
        ({"link": "me"}, "Invalid link"),
        ({"service": "9999"}, "Service not found"),
        ({"link": "\0"}, "Request cannot be read"),
    ],
)
@pytest.mark.parametrize("run", ["dry", "real"])
def test_console_when_add_cannot_be_then_the_documents_error_is_shown(
    browser: Client, changed: dict[str, str], error: str, run: str
) -> None:
    page = press(browser, **{**ADD, **changed, "run": run})

    assert answer_of(page) == f'{{\n  "error": "{error}"\n}}'


def test_console_when_the_money_does_not_do_then_trying_says_so_with_the_price(browser: Client, ann: User) -> None:
    Wallet.objects.filter(user=ann).update(balance_micros=100_000)

    page = press(browser, **ADD)

    text = page_words(page)
    assert "This order would be refused" in text
    assert "Price $0.50" in text
    assert "Insufficient balance" in text


def test_console_when_the_real_thing_is_chosen_and_pressed_twice_then_it_is_bought_once(
    browser: Client, ann: User
) -> None:
    once = hidden(browser.get(URL, {"action": "add"}), "once")

    first = press(browser, **ADD, run="real", once=once)
    second = press(browser, **ADD, run="real", once=once)

    order = world.newest_order(ann)
    assert answer_of(first) == answer_of(second) == f'{{\n  "order": {order.pk}\n}}'
    assert money(ann) == 99_500_000
    assert hidden(first, "once") != once  # the next press is another order
    assert f"request_id={once}" in first.content.decode()


def test_console_when_a_request_id_has_bought_before_then_trying_says_that_nothing_is_taken(browser: Client) -> None:
    press(browser, **ADD, run="real", request_id="mine")

    page = press(browser, **ADD, request_id="mine")

    assert "already been used for a purchase" in page_words(page)
    assert "Balance now $99.50 Balance after $99.50" in page_words(page)


def test_console_when_numbers_are_bought_then_it_asks_first_and_about_exactly_that(browser: Client) -> None:
    asked = {"action": "add_sms", "project_id": str(world.PROJECT), "quantity": "2", "phone": "+7"}

    question = press(browser, **asked)
    mark = re.search(r'name="confirmed" value="(\w+)"', markup(question))[1]
    other = press(browser, **{**asked, "quantity": "3"}, confirmed=mark)
    confirmed = press(browser, **asked, confirmed=mark)

    assert "$1.00 will be taken from your balance. Buy?" in page_words(question)
    assert "$1.50 will be taken from your balance. Buy?" in page_words(other)
    assert "Quantity must be between" in answer_of(confirmed)  # one phone cannot be had twice: it was really asked
    assert Number.objects.count() == 2


def test_console_when_an_order_is_canceled_then_it_asks_first(browser: Client, ann: User) -> None:
    question = press(browser, action="cancel", order=str(world.UNSENT))
    assert Order.objects.get(pk=world.UNSENT).status == Status.PAID

    mark = re.search(r'name="confirmed" value="(\w+)"', markup(question))[1]
    done = press(browser, action="cancel", order=str(world.UNSENT), confirmed=mark)

    assert '"cancel": 1' in answer_of(done)
    assert Order.objects.get(pk=world.UNSENT).status != Status.PAID


def test_console_when_it_is_somebody_elses_order_then_it_is_not_found(browser: Client, ben: User) -> None:
    other = Client()
    other.force_login(ben)

    page = other.post(URL, {"action": "status", "order": str(world.ORDER)}, headers=HTMX)

    assert answer_of(page) == '{\n  "error": "Order not found"\n}'


@pytest.mark.parametrize("more", [0, 2000])  # kept in the cache, and sent from a file
def test_console_when_the_answer_is_giant_then_as_much_as_fits_is_shown(browser: Client, more: int) -> None:
    row = {"type": "Default", "rate_upstream_micros": 9, "min_quantity": 1, "max_quantity": 9}
    category = Service.objects.get(pk=world.FOLLOWERS).category
    Service.objects.bulk_create(
        Service(upstream_id=50_000 + each, category=category, name="Likes", **row) for each in range(more)
    )

    page = press(browser, action="services")

    assert len(answer_of(page)) == MAX_SHOWN
    assert "This is only the beginning" in page_words(page)


def test_console_when_it_is_called_too_often_then_it_is_refused_like_a_key(browser: Client, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    for _call in range(2):
        assert '"error"' not in answer_of(press(browser, action="balance"))

    refused = press(browser, action="balance")

    assert "Too many requests, rate limit exceeded" in answer_of(refused)
    assert int(refused["Retry-After"]) > 0


def test_console_when_an_action_is_unknown_then_the_first_is_shown(browser: Client) -> None:
    assert press(browser, action="everything").status_code == 200
    assert "Balance" in page_words(browser.get(URL, {"action": "everything"}))
