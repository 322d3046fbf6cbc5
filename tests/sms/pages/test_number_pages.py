"""The SMS pages: buy beside the price, watch the codes arrive."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.models import ForwardingPause, Order, Status, UpstreamBalance
from sms.models import Country, Number, Project, Site
from tests.pages import HTMX, error_beside, hidden, markup, page_words, words
from wallet.models import Wallet

HOME, WAITING = "/sms/", "/sms/numbers/"


@pytest.fixture
def shop(client, ann):
    """The browser of Ann, who is signed in."""
    client.force_login(ann)
    return client


@pytest.fixture
def press_buy(shop, project):
    """Open the project's page and press its button: `press_buy(quantity=…)`."""

    def send(headers=None, **typed):
        page = shop.get(reverse("sms:buy", args=[project.pk]))
        form = {name: hidden(page, name) for name in ("quantity", "request_id", "shown_price_micros")}
        return shop.post(reverse("sms:buy", args=[project.pk]), {**form, **typed}, headers=headers or {})

    return send


def errors(response) -> str:
    found = re.search(r'<div class="number-offer__errors[^>]*>(.*?)</div>', markup(response))
    return words(found[1]) if found else ""


# --- Buying ---------------------------------------------------------------------------------------------------------


def test_buy_takes_the_money_and_leads_to_the_numbers(press_buy, ann):
    response = press_buy(quantity="2")

    assert response.url == WAITING
    assert [order.price_micros for order in ann.orders.all()] == [625_000, 625_000]
    assert Wallet.objects.get(user=ann).balance_micros == 98_750_000


def test_buy_by_htmx_sends_the_browser_to_the_numbers(press_buy, ann):
    response = press_buy(headers=HTMX)

    assert response["HX-Redirect"] == WAITING
    assert ann.orders.count() == 1


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        ("0", "Enter at least 1."),
        ("11", "Up to 10 numbers at once."),
        ("two", "Enter a whole number."),
        ("", "Enter how many numbers you want."),
    ],
)
def test_buy_of_a_bad_quantity_says_so_beside_it(press_buy, project, quantity, text):
    response = press_buy(quantity=quantity)

    assert error_beside(response, f"id_{project.pk}_quantity") == text
    assert Order.objects.count() == 0


def test_buy_without_enough_money_says_how_much_is_missing(press_buy, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=1_000_000)

    response = press_buy(quantity="2", headers=HTMX)

    assert errors(response) == "You're $0.25 short. Nothing has been charged. Add money"
    assert f'href="{reverse("wallet:home")}"' in response.content.decode()
    assert "<html" not in response.content.decode()
    assert Order.objects.count() == 0


def test_buy_after_the_price_changed_offers_the_new_one_and_one_more_click_buys(press_buy, project, ann):
    response = press_buy(shown_price_micros="600000")

    assert errors(response) == "The price has changed: it is now $0.625. Buy again to accept it."
    assert hidden(response, "shown_price_micros") == "625000"
    assert Order.objects.count() == 0

    press_buy(request_id=hidden(response, "request_id"), shown_price_micros="625000")

    assert ann.orders.get().price_micros == 625_000


def test_buy_while_nothing_can_be_sent_says_so(press_buy):
    ForwardingPause.objects.create(reason=ForwardingPause.Reason.BALANCE)

    assert errors(press_buy()) == "Numbers can't be bought right now. Please try again in a few minutes."


def test_buy_pressed_twice_buys_once(press_buy, shop, project, ann):
    request_id = hidden(shop.get(reverse("sms:buy", args=[project.pk])), "request_id")

    press_buy(request_id=request_id)
    press_buy(request_id=request_id)

    assert ann.orders.count() == 1


def test_buy_of_what_is_no_longer_sold_is_not_found(press_buy, shop, project):
    Project.objects.filter(pk=project.pk).update(withdrawn_at=timezone.now())

    assert shop.get(reverse("sms:buy", args=[project.pk])).status_code == 404


@pytest.mark.parametrize("how", ["withdrawn", "hidden", "forbidden"])
def test_buy_of_what_was_taken_off_sale_meanwhile_says_so_beside_the_button(press_buy, shop, project, ann, how):
    page = shop.get(reverse("sms:buy", args=[project.pk]))
    form = {name: hidden(page, name) for name in ("quantity", "request_id", "shown_price_micros")}
    Project.objects.filter(pk=project.pk).update(withdrawn_at=timezone.now() if how == "withdrawn" else None)
    Country.objects.filter(pk=project.country_id).update(visible=how != "hidden")
    Site.objects.filter(pk=project.site_id).update(forbidden=how == "forbidden")

    response = shop.post(reverse("sms:buy", args=[project.pk]), form, headers=HTMX)

    assert errors(response) == "These numbers are no longer sold."
    assert (ann.orders.count(), Wallet.objects.get(user=ann).balance_micros) == (0, 100_000_000)


def test_buy_when_our_own_supply_of_money_is_short_says_so_beside_the_button(press_buy, ann):
    UpstreamBalance.objects.create(amount_upstream_micros=400_000)

    response = press_buy(headers=HTMX)

    assert errors(response) == "Numbers can't be bought right now. Please try again in a few minutes."
    assert ann.orders.count() == 0


def test_buy_by_a_visitor_asks_to_sign_in(client, project):
    url = reverse("sms:buy", args=[project.pk])

    assert client.post(url, {"quantity": "1"}).url == f"/accounts/login/?next={url}"
    assert client.post(url, {"quantity": "1"}, headers=HTMX)["HX-Refresh"] == "true"


def test_buy_again_the_number_one_had(press_buy, waiting_number, ann):
    press_buy(reuse=str(waiting_number.pk))

    assert Number.objects.latest("id").reuse_phone == waiting_number.number.phone != ""


def test_buy_again_of_somebody_elses_number_is_refused(client, press_buy, waiting_number, ben):
    client.force_login(ben)

    response = press_buy(reuse=str(waiting_number.pk))

    assert errors(response) == "You have no such number for this website or app."
    assert ben.orders.count() == 0


# --- Waiting --------------------------------------------------------------------------------------------------------


def receive(order, code="48213"):
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED, finished_at=timezone.now())
    Number.objects.filter(order=order).update(
        state=Number.State.RECEIVED, code=code, content=f"Your <code> is {code}", received_at=timezone.now()
    )


def seen(response) -> str:
    return re.search(r'"seen": "(\w+)"', response.content.decode())[1]


def test_waiting_shows_ones_own_numbers_and_asks_again_with_one_request(shop, waiting_number, buy, ben):
    buy(quantity=2)
    buy(user=ben)

    response = shop.get(WAITING)

    page = markup(response)
    assert len(re.findall(r'<article class="number-card"', page)) == 3
    assert waiting_number.number.phone in page
    assert page.count('hx-trigger="every 1500ms"') == 1
    assert '<meta http-equiv="refresh" content="5">' in page


def test_waiting_counts_down_to_the_expiry(shop, waiting_number):
    Number.objects.filter(order=waiting_number).update(expires_at=timezone.now() + timedelta(minutes=9, seconds=30))

    page = shop.get(WAITING).content.decode()

    clock = re.search(r'<time data-countdown="(\d+)">(9:\d\d)</time>', page)
    assert 560 < int(clock[1]) <= 570
    assert re.search(r'data-whole="\d+".*stroke-dasharray="9\d 100"', page, re.S)  # it has just been bought


def test_waiting_asked_by_htmx_says_nothing_until_the_code_is_there(shop, waiting_number):
    before = seen(shop.get(WAITING))

    same = shop.get(WAITING, {"seen": before}, headers=HTMX)
    receive(waiting_number)
    changed = shop.get(WAITING, {"seen": before}, headers=HTMX)

    assert (same.status_code, same.content) == (204, b"")
    page = changed.content.decode()
    assert "<strong>48213</strong>" in page
    assert 'data-copy="48213"' in page
    assert "Your &lt;code&gt; is 48213" in page
    assert 'hx-trigger="every 20s"' in page  # nothing is open, but another device may buy
    assert "OpenAI / ChatGPT · United States: the code is 48213." in page_words(changed)
    assert "<html" not in page


def test_waiting_offers_another_code_to_a_number_that_had_one(shop, waiting_number):
    assert "One more code" not in page_words(shop.get(WAITING))

    receive(waiting_number)

    page = shop.get(WAITING)
    assert "One more code, $0.625" in page_words(page)
    assert hidden(page, "reuse") == str(waiting_number.pk)


def test_waiting_says_what_came_back_for_a_number_without_a_code(shop, waiting_number):
    Order.objects.filter(pk=waiting_number.pk).update(status=Status.CANCELED, refunded_micros=625_000)
    Number.objects.filter(order=waiting_number).update(state=Number.State.EXPIRED)

    assert "No code arrived. $0.625 has been refunded to your balance." in page_words(shop.get(WAITING))


def test_waiting_leaves_yesterdays_finished_numbers_to_the_orders(shop, waiting_number):
    receive(waiting_number)
    Order.objects.filter(pk=waiting_number.pk).update(created_at=timezone.now() - timedelta(days=1, minutes=1))

    assert "No numbers" in page_words(shop.get(WAITING))


def test_waiting_sends_a_visitor_to_sign_in(client, db):
    assert client.get(WAITING).url == f"/accounts/login/?next={WAITING}"


@pytest.mark.parametrize("count", [1, 3])
def test_waiting_needs_the_same_queries_for_any_number_of_numbers(shop, buy, count, django_assert_num_queries):
    buy(quantity=count)

    with django_assert_num_queries(6):  # session, user, numbers, prices, rules of numbers, the wallet in the header
        shop.get(WAITING)


def test_order_page_of_a_number_shows_the_code(shop, waiting_number):
    url = reverse("orders:detail", args=[waiting_number.pk])
    before = shop.get(url)

    receive(waiting_number)
    after = shop.get(url, {"seen": seen(before)}, headers=HTMX)

    assert 'hx-trigger="every 2s"' in before.content.decode()
    assert "The code has arrived." in page_words(after)
    assert "<strong>48213</strong>" in after.content.decode()
