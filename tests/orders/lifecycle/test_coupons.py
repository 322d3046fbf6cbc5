"""Coupons: what they take off, who may use them and how often, and what the books say about it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import CustomerGroup
from catalog.models import MarkupRule, Service
from catalog.pricing import Markup, PriceBook
from catalog.pricing.rules import Chosen
from orders.accounting.audit import audit
from orders.lifecycle.discounts import Discount, discount_of
from orders.lifecycle.service_requests import cancel_unsent
from orders.models import Coupon, CouponUse, Order
from orders.placing.refusals import DiscountNotSeen, OrderRefused, RequestIdReused
from orders.timeline import timeline_of
from tests.orders.couponing import COST, PRICE, balance, coupon
from tests.orders.quoting import signed
from wallet.models import LedgerEntry, Wallet
from wallet.operations import InsufficientFunds

NOW = timezone.now()


def rows_of(order: Order) -> list[tuple[str, int, str, str]]:
    entries = LedgerEntry.objects.filter(reference__startswith=f"order:{order.pk}").order_by("id")
    return [(entry.kind, entry.amount_micros, entry.reference, entry.note) for entry in entries]


# --- The arithmetic -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "price", "floor", "discount", "full"),
    [
        ({"percent": Decimal(10)}, 1_875_000, 1_500_000, 187_500, 187_500),
        ({"percent": Decimal("33.33")}, 1_000_000, 0, 333_300, 333_300),
        ({"percent": Decimal("33.33")}, 1_000, 0, 300, 300),  # 0.0003333: rounded down to 0.0001
        ({"percent": Decimal(20)}, 1_875_000, 1_500_000, 375_000, 375_000),  # exactly down to the floor
        ({"percent": Decimal(21)}, 1_875_000, 1_500_000, 375_000, 393_700),  # cut
        ({"amount_micros": 300_000}, 1_875_000, 1_500_000, 300_000, 300_000),
        ({"amount_micros": 5_000_000}, 1_875_000, 1_500_000, 375_000, 1_875_000),
        ({"percent": Decimal(10)}, 1_500_000, 1_500_000, 0, 150_000),  # at the floor already
        ({"percent": Decimal(10)}, 1_400_000, 1_500_000, 0, 140_000),  # a promised price below it
        ({"percent": Decimal(100)}, 500_000, 0, 499_900, 500_000),  # costs nothing: an order is never free
    ],
)
def test_discount_of_takes_off_what_the_floor_lets_it(fields, price, floor, discount, full):
    taken = discount_of(Coupon(code="A", **fields), price_micros=price, floor_micros=floor)

    assert taken == Discount("A", price, discount, full)
    assert taken.is_cut == (discount < full)


@given(
    price=st.integers(1, 10**8).map(lambda steps: steps * 100),
    floor=st.integers(0, 10**8).map(lambda steps: steps * 100),
    hundredths=st.integers(0, 10_000),
    amount=st.integers(1, 10**10),
)
def test_discount_of_anything_keeps_the_floor_and_the_coupons_own_word(price, floor, hundredths, amount):
    fields = {"percent": Decimal(hundredths).scaleb(-2)} if hundredths else {"amount_micros": amount}

    taken = discount_of(Coupon(code="A", **fields), price_micros=price, floor_micros=floor)

    assert 0 <= taken.discount_micros <= taken.full_discount_micros <= price
    assert taken.net_micros >= min(price, max(floor, 100))
    assert taken.net_micros > 0
    assert taken.discount_micros % 100 == 0
    promised = price * hundredths // 10_000 if hundredths else min(amount, price)
    assert promised - 100 < taken.full_discount_micros <= promised
    if not taken.is_cut:
        assert taken.discount_micros == taken.full_discount_micros


@given(
    rate=st.integers(0, 10**9),
    markup=st.integers(0, 300),
    floor=st.integers(0, 60),
    discount=st.integers(0, 100),
    percent=st.integers(1, 100),
    quantity=st.integers(1, 20_000),
)
def test_discount_of_a_price_of_the_book_never_goes_below_cost_and_floor_margin(
    rate, markup, floor, discount, percent, quantity
):
    chosen = Chosen(default=Markup(Decimal(markup), floor_percent=Decimal(floor)))
    book = PriceBook(chosen, Decimal(discount), Decimal(0), 1_100_000)
    service = Service(rate_upstream_micros=rate, rate_per_override=1000)
    price = book.price_micros(service, quantity)

    floor_micros = book.floor_price_micros(service, quantity)
    taken = discount_of(Coupon(code="A", percent=Decimal(percent)), price_micros=price, floor_micros=floor_micros)

    assert price >= floor_micros
    if price:
        # Cost plus the floor margin, exactly, in micros × 10⁶ × 100.
        assert taken.net_micros * 1000 * 10**6 * 100 >= rate * quantity * 1_100_000 * (100 + floor)


# --- The sale -------------------------------------------------------------------------------------------------------
def test_place_order_with_a_coupon_is_sold_at_the_net_price_through_two_rows(place, ann):
    spring = coupon()

    order = place(coupon=" spring ")

    assert order.price_micros == PRICE - 187_500
    assert rows_of(order) == [
        ("discount", 187_500, f"order:{order.pk}:coupon", "SPRING"),
        ("charge", -PRICE, f"order:{order.pk}", order.title),
    ]
    assert balance(ann) == 100_000_000 - order.price_micros
    use = CouponUse.objects.get()
    assert (use.coupon, use.user, use.order, use.discount_micros, use.freed_at) == (spring, ann, order, 187_500, None)
    spring.refresh_from_db()
    assert spring.uses == 1
    assert audit(client=None, now=timezone.now()).problems == []


def test_place_order_with_a_coupon_tells_what_it_took_off(place):
    coupon()

    order = place(coupon="SPRING")

    [line] = timeline_of(order.events.all(), [])
    assert line.detail == "$1.6875 paid from your balance; coupon SPRING took off $0.1875."
    assert (order.pricing["coupon"], order.pricing["coupon_micros"]) == ("SPRING", 187_500)


def test_place_order_with_a_coupon_needs_no_more_than_the_net_price(place, ann):
    coupon()
    Wallet.objects.filter(user=ann).update(balance_micros=PRICE - 187_500)

    place(coupon="SPRING")

    assert balance(ann) == 0


def test_place_order_with_a_coupon_but_a_micro_too_little_changes_nothing(place, ann):
    spring = coupon()
    Wallet.objects.filter(user=ann).update(balance_micros=PRICE - 187_501)

    with pytest.raises(InsufficientFunds) as short:
        place(coupon="SPRING")

    assert short.value.missing_micros == 1
    spring.refresh_from_db()
    assert (spring.uses, CouponUse.objects.count(), Order.objects.count()) == (0, 0, 0)
    assert balance(ann) == PRICE - 187_501


@pytest.mark.parametrize(("floor", "net"), [("0", COST), ("10", 1_650_000), ("24", 1_860_000)])
def test_place_order_with_a_large_coupon_stops_at_cost_plus_the_floor_margin(place, settings, floor, net):
    settings.FLOOR_MARGIN_PERCENT = Decimal(floor)
    coupon(percent=Decimal(90))

    order = place(coupon="SPRING")

    assert order.price_micros == net


def test_place_order_with_a_coupon_stops_at_the_floor_of_the_services_own_rule(place, service):
    MarkupRule.objects.create(scope="service", service=service, percent=25, floor_percent=20)
    coupon(percent=Decimal(90))

    assert place(coupon="SPRING").price_micros == 1_800_000


def test_place_order_with_a_coupon_comes_after_the_groups_discount(place, ann):
    ann.group = CustomerGroup.objects.create(name="Friends", discount_percent=10)
    ann.save()
    coupon()

    assert place(coupon="SPRING").price_micros == 1_518_800  # 1.6875 less 10 %, down to 0.0001


def test_place_order_with_a_coupon_where_nothing_can_be_taken_off_is_refused(place, service):
    MarkupRule.objects.create(scope="service", service=service, percent=0)
    spring = coupon()

    assert refused(place) == "This coupon gives no discount here: the price can't go any lower."
    spring.refresh_from_db()
    assert spring.uses == 0


def test_place_order_with_a_coupon_at_a_promised_price_below_cost_keeps_the_promise_and_the_coupon(place, ann, service):
    quote = signed(ann, service)
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=2_000_000)
    coupon()

    assert refused(place, quote=quote) == "This coupon gives no discount here: the price can't go any lower."
    assert place(quote=quote).price_micros == PRICE


def refused(place, **asked: Any) -> str:
    before = Order.objects.count()
    with pytest.raises(OrderRefused) as refusal:
        place(**{"coupon": "SPRING", **asked})
    assert refusal.value.field == "coupon"
    assert Order.objects.count() == before
    return str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"active": False}, "This coupon has expired."),
        ({"valid_until": NOW}, "This coupon has expired."),
        ({"valid_from": NOW + timedelta(days=1)}, "This coupon isn't valid yet."),
        ({"min_order_micros": PRICE + 1}, "This coupon is for orders of $1.875001 or more."),
        ({"in_all": 3, "uses": 3}, "This coupon has been used up."),
    ],
)
def test_place_order_with_a_coupon_that_cannot_be_used_says_why_beside_the_field(place, fields, words):
    coupon(**fields)

    assert refused(place) == words


@pytest.mark.parametrize("fields", [{"min_order_micros": PRICE}, {"in_all": 1}, {"valid_until": NOW + timedelta(1)}])
def test_place_order_with_a_coupon_just_within_its_limits_uses_it(place, fields):
    coupon(**fields)

    assert place(coupon="SPRING").price_micros == PRICE - 187_500


@pytest.mark.parametrize("typed", ["SUMMER", "%", "\x00SUMMER", "spríng", "A" * 60, "' OR 1=1"])
def test_place_order_with_an_unknown_coupon_says_so(place, typed):
    coupon()

    assert refused(place, coupon=typed) == "This coupon doesn't exist. Check the code."


def test_place_order_beyond_the_customers_own_limit_says_how_often_it_was_used(place, ben):
    coupon(per_customer=2)
    for number in range(2):
        place(coupon="SPRING", link=f"https://example.com/{number}")

    assert refused(place) == "You have already used this coupon 2 times and can't use it again."
    assert place(coupon="SPRING", user=ben).price_micros == PRICE - 187_500


def test_place_order_with_a_first_purchase_coupon_after_a_purchase_is_refused(place):
    coupon(first_purchase_only=True)
    place()

    assert refused(place) == "This coupon is for first orders only."


def test_place_order_with_a_first_purchase_coupon_after_one_that_was_given_back_uses_it(place):
    coupon(first_purchase_only=True)
    first = place()
    cancel_unsent(first.pk, user=first.user, now=timezone.now())

    assert place(coupon="SPRING").price_micros == PRICE - 187_500


def test_place_order_pressed_twice_uses_the_coupon_once_and_another_one_is_another_order(place):
    spring = coupon(in_all=1)
    coupon("SUMMER")
    first = place(coupon="SPRING", request_id="one")

    assert place(coupon="spring", request_id="one") == first
    with pytest.raises(RequestIdReused):
        place(coupon="SUMMER", request_id="one")
    spring.refresh_from_db()
    assert (spring.uses, Order.objects.count()) == (1, 1)


@pytest.mark.parametrize(("seen", "bought"), [(PRICE - 187_500, True), (PRICE, True), (PRICE - 187_501, False)])
def test_place_order_with_a_coupon_never_takes_more_than_the_customer_saw(place, seen, bought):
    spring = coupon()

    if bought:
        assert place(coupon="SPRING", seen_micros=seen).price_micros == PRICE - 187_500
        return
    with pytest.raises(DiscountNotSeen) as unseen:
        place(coupon="SPRING", seen_micros=seen)
    assert unseen.value.discount.net_micros == PRICE - 187_500
    spring.refresh_from_db()
    assert (spring.uses, Order.objects.count()) == (0, 0)
