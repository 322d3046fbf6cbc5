"""Paying for an order directly, with a coupon: what is missing is less, and the coupon is used once it is paid."""

import pytest
from django.utils import timezone

from catalog.models import Service
from orders.models import Coupon, Order, PendingCheckout
from orders.placing.pay_first import close_pending
from orders.placing.refusals import DiscountNotSeen, OrderRefused, RequestIdReused
from tests.orders.couponing import balance, coupon
from tests.orders.placing.paying_first import pay
from tests.wallet.paying import demo_says
from wallet.gateways import State
from wallet.models import TopUp

__all__ = ["pay"]  # a fixture


def paid(pending) -> PendingCheckout:
    demo_says(pending.top_up, State.PAID)
    close_pending(now=timezone.now())
    pending.refresh_from_db()
    return pending


def test_pay_and_order_with_a_coupon_asks_for_what_is_missing_of_the_net_price_and_uses_it_once_paid(pay, kim):
    spring = coupon(in_all=1)
    pending = pay(coupon=" spring", seen_micros=3_375_000)
    spring.refresh_from_db()

    assert (pending.price_micros, pending.coupon_code, pending.top_up.amount_micros) == (3_375_000, "SPRING", 2_880_000)
    assert spring.uses == 0
    assert paid(pending).state == "placed"
    order = Order.objects.get()
    spring.refresh_from_db()
    assert (order.price_micros, order.pricing["coupon"], spring.uses) == (3_375_000, "SPRING", 1)
    assert balance(kim) == 500_000 + 2_880_000 - 3_375_000


def test_pay_and_order_with_a_coupon_that_is_gone_when_the_payment_comes_keeps_the_money_and_says_why(pay, kim):
    spring = coupon()
    pending = pay(coupon="SPRING")
    Coupon.objects.filter(pk=spring.pk).update(active=False)

    assert (paid(pending).state, pending.reason) == ("dropped", "This coupon has expired.")
    assert balance(kim) == 500_000 + 2_880_000


def test_pay_and_order_with_a_coupon_that_takes_less_when_the_payment_comes_does_not_take_more(pay, kim, service):
    coupon(percent=20)
    pending = pay(coupon="SPRING")
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=1_700_000)  # the floor is higher now

    assert (paid(pending).state, pending.reason) == (
        "dropped",
        "The coupon now takes off less: the price would be $3.40.",
    )


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [({"coupon": "NOPE"}, OrderRefused), ({"coupon": "SPRING", "seen_micros": 1}, DiscountNotSeen)],
)
def test_pay_and_order_with_a_coupon_that_takes_nothing_or_was_not_seen_begins_no_payment(pay, asked, refusal):
    coupon()

    with pytest.raises(refusal):
        pay(**asked)

    assert TopUp.objects.count() == 0


def test_pay_and_order_again_with_another_coupon_is_another_order(pay):
    coupon()
    pending = pay(coupon="SPRING", request_id="one")

    assert pay(coupon="spring", request_id="one") == pending
    with pytest.raises(RequestIdReused):
        pay(request_id="one")
