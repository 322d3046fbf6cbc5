"""What one purchase may cost: the cap on what promised prices lose, and amounts that no column holds."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from catalog.models import Service
from orders.models import Order, PromisedLoss
from orders.pages.forms import quote_for
from orders.placing.mass import LinesRefused, MassLine, place_orders
from orders.placing.pay_first import pay_and_order
from orders.placing.refusals import PriceChanged, TooMuchMoney
from tests.conftest import customer
from tests.orders.quoting import signed
from tests.pages import words
from wallet.operations import wallet_of

HUGE = 10**18 - 1


@pytest.fixture
def rich(db):
    return customer("rich@example.com", money="1000.00")


def now_costs_twice(service) -> None:
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=3_000_000)


def lost() -> int:
    return sum(Order.objects.values_list("accepted_loss_micros", flat=True))


def shown(service):
    return Service.objects.select_related("category").get(pk=service.pk)


@pytest.fixture
def endless(service):
    """The service, of which anybody may order as much as a number can say."""
    Service.objects.filter(pk=service.pk).update(max_quantity=2**63 - 1)
    return shown(service)


# --- The cap on promised prices -------------------------------------------------------------------------------------
@pytest.mark.sqlite
def test_place_order_again_and_again_under_one_quote_never_loses_more_than_the_cap_in_all(place, service, rich):
    quote = quote_for(shown(service), rich, "600").signed
    now_costs_twice(service)  # each of these orders would lose 0.675
    for number in range(20):
        with suppress(PriceChanged):
            place(user=rich, quantity=600, quote=quote, link=f"https://instagram.com/{number}")

    assert lost() == 675_000
    assert PromisedLoss.objects.get().lost_micros == 675_000


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_place_order_many_times_at_once_under_one_quote_never_loses_more_than_the_cap(place, service, rich):
    quote = quote_for(shown(service), rich, "200").signed
    now_costs_twice(service)  # each loses 0.225: four fit

    def press(number: int) -> None:
        try:
            with suppress(PriceChanged):
                place(user=rich, quantity=200, quote=quote, link=f"https://instagram.com/{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(press, range(8)))

    assert lost() == PromisedLoss.objects.get().lost_micros == 900_000


def test_place_order_under_another_quote_counts_for_the_same_cap(place, ann, service):
    first = signed(ann, service, quantity=600, price_micros=1_125_000)
    second = signed(ann, service, quantity=600, price_micros=1_125_000, expires_at=timezone.now() + timedelta(hours=1))
    now_costs_twice(service)
    place(quantity=600, quote=first)

    with pytest.raises(PriceChanged) as offer:
        place(quantity=600, quote=second)

    assert offer.value.price_micros == 2_250_000


def test_place_order_that_is_not_taken_loses_nothing(place, service, settings):
    kim = customer("kim@example.com", money="0.50")
    quote = signed(kim, service, quantity=600, price_micros=1_125_000)
    now_costs_twice(service)

    with suppress(Exception):
        place(user=kim, quantity=600, quote=quote)

    assert not Order.objects.exists()
    assert not PromisedLoss.objects.exists()


def test_place_order_of_another_customer_or_service_or_later_has_a_cap_of_its_own(place, ann, ben, service, settings):
    began = timezone.now()
    quotes = [signed(user, service, quantity=600, price_micros=1_125_000) for user in (ann, ben)]
    later = signed(ann, service, quantity=600, price_micros=1_125_000, expires_at=began + timedelta(seconds=700))
    now_costs_twice(service)
    place(quantity=600, quote=quotes[0])

    place(user=ben, quantity=600, quote=quotes[1])
    place(quantity=600, quote=later, now=began + timedelta(seconds=650), link="https://instagram.com/later")

    assert [row.lost_micros for row in PromisedLoss.objects.order_by("user_id")] == [675_000, 675_000]
    assert lost() == 3 * 675_000


def test_place_order_within_the_time_of_any_promise_counts_on(place, ann, service):
    began = timezone.now()
    quotes = [
        signed(ann, service, quantity=400, price_micros=750_000, expires_at=began + timedelta(seconds=seconds))
        for seconds in (600, 1100, 1600)
    ]
    now_costs_twice(service)  # each loses 0.45: two fit
    place(quantity=400, quote=quotes[0], now=began)
    place(quantity=400, quote=quotes[1], now=began + timedelta(seconds=500), link="https://instagram.com/two")

    with pytest.raises(PriceChanged):  # the second promise still holds, and with it the count
        place(quantity=400, quote=quotes[2], now=began + timedelta(seconds=1000), link="https://instagram.com/three")


def test_pay_and_order_when_the_cap_is_used_up_offers_the_new_price_before_any_payment(place, rich, service, settings):
    settings.PRICE_LOCK_MAX_LOSS = Decimal("0.70")
    quote = signed(rich, service, quantity=600, price_micros=1_125_000)
    now_costs_twice(service)
    place(user=rich, quantity=600, quote=quote)

    with pytest.raises(PriceChanged):
        pay_and_order(
            user=rich, service=shown(service), quantity=600, link="https://instagram.com/x", comments="",
            quote=quote, request_id=str(uuid.uuid4()), gateway="demo", now=timezone.now(),
        )  # fmt: skip


# --- Amounts beyond a column ----------------------------------------------------------------------------------------
@pytest.mark.sqlite
def test_place_order_of_so_many_that_no_column_holds_the_price_is_refused_in_words(place, endless):
    for quantity in (HUGE, 10**14):  # by the price, and by what it would be at another rate unit
        with pytest.raises(TooMuchMoney) as refusal:
            place(quantity=quantity, service=endless)
        assert refusal.value.field == "quantity"

    assert not Order.objects.exists()


def test_place_order_whose_cost_alone_is_beyond_a_column_is_refused_in_words(place, endless):
    Service.objects.filter(pk=endless.pk).update(rate_override_micros=1, rate_upstream_micros=10**12)

    with pytest.raises(TooMuchMoney):
        place(quantity=10**12, service=endless)


def test_place_orders_when_a_line_is_beyond_a_column_then_that_line_says_so(ann, endless):
    lines = [
        MassLine(endless.pk, "https://instagram.com/a", 1000),
        MassLine(endless.pk, "https://instagram.com/b", HUGE),
    ]

    with pytest.raises(LinesRefused) as refusal:
        place_orders(user=ann, lines=lines, request_id="r", now=timezone.now())

    assert list(refusal.value.problems) == [1]
    assert "smaller quantity" in refusal.value.problems[1]


def test_quote_for_so_many_that_no_column_holds_the_price_says_so_and_promises_nothing(ann, endless):
    quote = quote_for(endless, ann, str(HUGE))

    assert (quote.quantity, quote.price_micros, quote.signed) == (None, None, "")
    assert "smaller quantity" in quote.problem


@pytest.mark.parametrize("quantity", [str(HUGE), str(2**63 - 1), str(2**63), "9" * 400])
def test_the_pages_answer_any_quantity_in_words(shop, endless, quantity):
    address = reverse("orders:place", args=[endless.pk])
    form = {"quantity": quantity, "link": "https://instagram.com/a", "request_id": str(uuid.uuid4())}

    for page in (
        shop.get(address, {"quantity": quantity}, headers={"hx-request": "true"}),
        shop.post(address, form),
        shop.post("/orders/mass/", {"text": f"{endless.pk} | https://instagram.com/a | {quantity}"}),
    ):
        assert page.status_code == 200, words(page.content.decode())[:500]
    assert not Order.objects.exists()


@pytest.mark.parametrize("is_test", [False, True])
@pytest.mark.parametrize("quantity", [str(HUGE), str(2**63 - 1), str(2**63), "9" * 400])
def test_the_api_answers_any_quantity_in_words(client, ann, endless, quantity, is_test):
    _key, text = create_api_key(user=ann, name="k", is_test=is_test)
    form = {"key": text, "action": "add", "service": endless.pk, "link": "https://x.com/a", "quantity": quantity}

    answer = client.post("/api/v2", form).json()

    assert set(answer) == {"error"}
    assert answer["error"] == "Invalid quantity" or answer["error"].startswith("Quantity must be between")
    assert wallet_of(ann).balance_micros == 100_000_000
