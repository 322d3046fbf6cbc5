"""The coupon on the order form: what the page says, beside what, with and without scripts."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from orders.models import Order
from tests.orders.couponing import PRICE, balance, coupon
from tests.pages import HTMX, alerts, error_beside, hidden, markup, page_words
from wallet.models import Wallet

LINK = "https://instagram.com/ann"
NET = PRICE - 187_500


@pytest.fixture
def address(service) -> str:
    return reverse("orders:place", args=[service.pk])


@pytest.fixture
def press(shop, address):
    """Send the form as the page before it carries it: its hidden fields, and what is typed."""

    def send(page, **typed):
        form = {"quantity": "1000", "link": LINK, **typed}
        for name in ("request_id", "quote", "seen"):
            if f'name="{name}"' in page.content.decode():
                form.setdefault(name, hidden(page, name))
        return shop.post(address, form)

    return send


def notes(response) -> str:
    return response.context["form"].note


def test_the_form_asks_customers_for_a_coupon_and_opens_the_field_once_one_is_typed(shop, client, press, address):
    page = shop.get(address)

    assert '<details class="coupon-field"><summary>' in markup(page)
    assert '<details class="coupon-field" open><summary>' in markup(press(page, coupon="x"))
    client.logout()
    assert 'name="coupon"' not in client.get(address).content.decode()


def test_the_quote_for_htmx_shows_the_discount_and_what_is_left(shop, address):
    coupon()

    part = shop.get(address, {"quantity": "1000", "coupon": "spring"}, headers=HTMX)

    words = page_words(part)
    assert "Price for 1,000 $1.875" in words
    assert "Coupon SPRING −$0.1875" in words
    assert "Total for 1,000 $1.6875" in words
    assert hidden(part, "seen") == str(NET)


def test_the_quote_for_htmx_says_where_the_floor_cuts_the_coupon(shop, address, settings):
    coupon(amount_micros=5_000_000)

    words = page_words(shop.get(address, {"quantity": "1000", "coupon": "SPRING"}, headers=HTMX))

    assert "The coupon takes off $0.375 here: the price can't go any lower." in words
    assert "Total for 1,000 $1.50" in words


@pytest.mark.parametrize(
    ("fields", "typed", "words"),
    [
        ({}, "NOPE", "This coupon doesn't exist. Check the code."),
        ({"active": False}, "SPRING", "This coupon has expired."),
        ({"in_all": 1, "uses": 1}, "SPRING", "This coupon has been used up."),
        ({"min_order_micros": 2_000_000}, "SPRING", "This coupon is for orders of $2.00 or more."),
    ],
)
def test_the_quote_for_htmx_with_a_coupon_that_takes_nothing_says_why(shop, address, fields, typed, words):
    coupon(**fields)
    coupon("OTHER")

    part = shop.get(address, {"quantity": "1000", "coupon": typed}, headers=HTMX)

    assert words in page_words(part)
    assert "Total for 1,000 $1.875" in page_words(part)
    assert 'name="seen"' not in part.content.decode()


def test_the_quote_without_a_quantity_or_for_a_visitor_says_nothing_of_the_coupon(shop, client, address):
    coupon()

    assert "Coupon" not in page_words(shop.get(address, {"quantity": "", "coupon": "SPRING"}, headers=HTMX))
    client.logout()
    assert "Coupon" not in page_words(client.get(address, {"quantity": "1000", "coupon": "SPRING"}, headers=HTMX))


def test_the_order_with_a_coupon_that_the_page_showed_is_placed_at_once(shop, press, address, ann):
    coupon()
    shown = shop.get(address, {"quantity": "1000", "coupon": "SPRING"}, headers=HTMX)

    answer = press(shop.get(address), coupon="SPRING", quote=hidden(shown, "quote"), seen=hidden(shown, "seen"))

    order = Order.objects.get()
    assert answer.url == reverse("orders:detail", args=[order.pk])
    assert (order.price_micros, balance(ann)) == (NET, 100_000_000 - NET)
    page = page_words(shop.get(answer.url))
    assert "Price before the coupon $1.875 Discount with coupon SPRING −$0.1875" in page


def test_the_order_without_scripts_shows_the_price_first_and_the_second_press_buys(shop, press, address):
    coupon()

    looked = press(shop.get(address), coupon="spring")

    assert notes(looked) == (
        "Price for 1,000 with your coupon: $1.6875. Press the button again to order. Nothing has been charged yet."
    )
    assert alerts(looked) == ""
    assert 'value="spring"' in looked.content.decode()
    assert Order.objects.count() == 0

    press(looked, coupon="spring")

    assert Order.objects.get().price_micros == NET


def test_the_order_with_a_coupon_typed_after_the_price_was_shown_asks_once_more(shop, press, address):
    coupon()
    shown = shop.get(address, {"quantity": "1000"})

    looked = press(shown, coupon="SPRING")

    assert "Price for 1,000 with your coupon: $1.6875." in notes(looked)
    press(looked, coupon="SPRING")
    assert Order.objects.get().price_micros == NET


def test_the_order_whose_floor_has_risen_since_the_page_asks_instead_of_taking_more(shop, press, address, service):
    coupon(percent=20)
    shown = shop.get(address, {"quantity": "1000", "coupon": "SPRING"}, headers=HTMX)
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=1_600_000)

    looked = press(shop.get(address), coupon="SPRING", quote=hidden(shown, "quote"), seen=hidden(shown, "seen"))

    assert Order.objects.count() == 0
    assert "Price for 1,000 with your coupon: $1.60." in notes(looked)
    press(looked, coupon="SPRING")
    assert Order.objects.get().price_micros == 1_600_000


@pytest.mark.parametrize("seen", ["", "x", "-5", "1" * 40, "１"])
def test_the_order_with_a_strange_figure_of_what_was_seen_asks_once_more(shop, press, address, seen):
    coupon()
    shown = shop.get(address, {"quantity": "1000"})

    looked = press(shown, coupon="SPRING", seen=seen)

    assert "with your coupon" in notes(looked)
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "typed", "words"),
    [
        ({}, "NOPE", "This coupon doesn't exist. Check the code."),
        ({}, "N" * 41, "Ensure this value has at most 40 characters (it has 41)."),
        ({"valid_until": timezone.now() - timedelta(days=1)}, "SPRING", "This coupon has expired."),
        ({"in_all": 1, "uses": 1}, "SPRING", "This coupon has been used up."),
        ({"min_order_micros": 2_000_000}, "SPRING", "This coupon is for orders of $2.00 or more."),
    ],
)
@pytest.mark.parametrize("quantity", ["1000", ""])
def test_the_order_with_a_coupon_that_cannot_be_used_says_so_beside_the_field(
    shop, press, address, fields, typed, words, quantity
):
    coupon(**fields)
    shown = shop.get(address, {"quantity": quantity})  # the price was on the page, or was not

    answer = press(shown, coupon=typed)

    assert error_beside(answer, "id_coupon") == words
    assert Order.objects.count() == 0


def test_the_order_with_a_first_purchase_coupon_of_somebody_who_has_bought_says_so(shop, press, address, place):
    coupon(first_purchase_only=True)
    place(link="https://example.com/first")

    answer = press(shop.get(address, {"quantity": "1000"}), coupon="SPRING")

    assert error_beside(answer, "id_coupon") == "This coupon is for first orders only."


def test_the_order_with_a_coupon_says_what_is_missing_of_the_net_price(shop, press, address, ann):
    coupon()
    Wallet.objects.filter(user=ann).update(balance_micros=NET - 100)
    shown = shop.get(address, {"quantity": "1000", "coupon": "SPRING"}, headers=HTMX)

    answer = press(shop.get(address), coupon="SPRING", quote=hidden(shown, "quote"), seen=hidden(shown, "seen"))

    assert alerts(answer) == "You're $0.0001 short. Nothing has been charged."
    assert "You're $0.0001 short." in page_words(shown)


def test_the_order_of_comments_takes_a_coupon_too(shop, press, address, service):
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=2)
    coupon()

    looked = press(shop.get(address), coupon="SPRING", comments="Lovely!\nMore", quantity="")
    press(looked, coupon="SPRING", comments="Lovely!\nMore", quantity="")

    order = Order.objects.get()
    assert (order.quantity, order.pricing["coupon"]) == (2, "SPRING")
