"""Placing: the money and the order are one transaction, and every refusal names its field."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from catalog.models import Category, Delivery, Service
from orders.models import Order, OrderEvent, Status
from orders.placing.refusals import OrderRefused, RequestIdReused
from wallet.models import LedgerEntry, Wallet
from wallet.operations import InsufficientFunds

pytestmark = pytest.mark.sqlite


def test_place_order_takes_the_price_and_writes_the_order(place, ann):
    order = place(quantity=2000)

    assert order.status == Status.PAID
    assert order.price_micros == 3_750_000  # 1.50 per 1,000, 25 % markup, 2,000 pieces
    assert order.cost_upstream_micros == 3_000_000
    assert Wallet.objects.get(user=ann).balance_micros == 96_250_000
    entry = LedgerEntry.objects.get(reference=f"order:{order.pk}")
    assert (entry.kind, entry.amount_micros) == (LedgerEntry.Kind.CHARGE, -3_750_000)
    assert [event.code for event in order.events.all()] == [OrderEvent.Code.PLACED]


def refused(place, **asked) -> OrderRefused:
    with pytest.raises(OrderRefused) as refusal:
        place(**asked)
    assert Order.objects.count() == 0
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CHARGE).count() == 0
    return refusal.value


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"quantity": 9}, "quantity", "Enter a quantity between 10 and 10,000."),
        ({"quantity": 10_001}, "quantity", "Enter a quantity between 10 and 10,000."),
        ({"quantity": None}, "quantity", "Enter a quantity."),
        ({"link": "instagram"}, "link", "Enter the full link, starting with https://."),
        ({"link": ""}, "link", "Enter the full link, starting with https://."),
        ({"link": "javascript:alert(1)"}, "link", "Enter the full link, starting with https://."),
        ({"link": "https://x.com/" + "a" * 2000}, "link", "This is too long: use up to 2,000 characters."),
    ],
)
def test_place_order_with_a_bad_value_names_the_field(place, asked, field, message):
    refusal = refused(place, **asked)

    assert (refusal.field, str(refusal)) == (field, message)


def becomes(service, sandbox, **fields) -> None:
    """Change the service; its stock is the same upstream, where it is asked before anything is paid."""
    Service.objects.filter(pk=service.pk).update(**fields)
    service.refresh_from_db()
    if "stock" in fields:
        sandbox.set_service(service.upstream_id, stock=fields["stock"])


def test_place_order_beyond_the_stock_says_how_many_there_are(place, service, sandbox):
    becomes(service, sandbox, stock=50)

    assert str(refused(place, quantity=51)) == "Only 50 in stock: enter a quantity between 10 and 50."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stock": 0}, "This service is sold out."),
        ({"stock": 5}, "Too few are left for the smallest order."),
        ({"visible": False}, "This service is no longer sold."),
        ({"paused_because": "charged too much"}, "This service is paused. Please try again later."),
        ({"type": "Poll"}, "This service can't be ordered here yet."),
    ],
)
def test_place_order_of_a_service_that_is_not_sold_says_why(place, service, sandbox, fields, message):
    becomes(service, sandbox, **fields)

    assert str(refused(place)) == message


def test_place_order_of_goods_needs_a_delivery_address(place, service):
    Category.objects.filter(pk=service.category_id).update(delivery=Delivery.EMAIL)

    assert refused(place, link="https://x.com/ann").field == "link"
    assert place(link="ann@example.com").link == "ann@example.com"


def test_place_order_by_comments_counts_the_lines(place, service):
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=2)

    assert refused(place, comments="one\n\n").field == "comments"
    order = place(quantity=None, comments=" one \n\ntwo\r\nthree\n")
    assert (order.quantity, order.comments) == (3, "one\ntwo\nthree")


def test_place_order_without_enough_money_says_how_much_is_missing(place, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=1_000_000)

    with pytest.raises(InsufficientFunds) as refusal:
        place()

    assert refusal.value.missing_micros == 875_000
    assert (Order.objects.count(), Wallet.objects.get(user=ann).balance_micros) == (0, 1_000_000)


def test_place_order_again_with_the_same_request_id_buys_nothing_twice(place, ann):
    first = place(request_id="button")
    again = place(request_id="button")

    assert again == first
    assert Wallet.objects.get(user=ann).balance_micros == 98_125_000


def test_place_order_with_a_used_request_id_and_other_values_is_refused(place):
    place(request_id="button")

    with pytest.raises(RequestIdReused):
        place(request_id="button", quantity=500)

    assert Order.objects.count() == 1


def test_the_same_request_id_of_another_customer_is_another_order(place, ben):
    assert place(request_id="button") != place(request_id="button", user=ben)


@pytest.mark.django_db(transaction=True)
def test_place_order_when_the_button_is_pressed_many_times_at_once_buys_once(place, ann):
    def press(_number: int) -> int:
        try:
            return place(request_id="button").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        orders = set(threads.map(press, range(6)))

    assert len(orders) == Order.objects.count() == 1
    assert Wallet.objects.get(user=ann).balance_micros == 98_125_000


def test_place_order_of_a_service_without_a_price_is_refused(place, service):
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=0)

    with pytest.raises(OrderRefused, match="no price"):
        place()
