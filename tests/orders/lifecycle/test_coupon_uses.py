"""What becomes of a coupon after the sale, and when many use it at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Service
from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.service_requests import cancel_unsent
from orders.models import Coupon, CouponUse, Order, Status
from orders.placing.place import place_order
from orders.placing.refusals import OrderRefused
from tests.clock import stopped_at
from tests.conftest import customer
from tests.orders.couponing import PRICE, balance, coupon

pytestmark = pytest.mark.sqlite


# --- What follows ---------------------------------------------------------------------------------------------------
def test_a_partial_refund_goes_by_the_net_price(place, client_upstream, sandbox):
    spring = coupon()
    order = place(coupon="SPRING")
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="Partial", remains=250)

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=1)))

    order.refresh_from_db()
    assert order.refunded_micros == 421_800  # 1.6875 × 250 ÷ 1,000, down to 0.0001
    spring.refresh_from_db()
    assert (spring.uses, CouponUse.objects.get().freed_at) == (1, None)
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_an_order_that_failed_or_was_canceled_unsent_gives_the_coupon_back(place, ann, client_upstream, sandbox):
    spring = coupon(per_customer=1)
    failed = place(coupon="SPRING")
    sandbox.fail_next("refuse", action="add", text="Invalid link")
    forward_order(failed.pk, client=client_upstream, clock=timezone.now)
    failed.refresh_from_db()
    assert (failed.status, balance(ann)) == (Status.FAILED, 100_000_000)

    canceled = place(coupon="SPRING")
    cancel_unsent(canceled.pk, user=ann, now=timezone.now())

    spring.refresh_from_db()
    assert (spring.uses, balance(ann)) == (0, 100_000_000)
    assert CouponUse.objects.filter(freed_at=None).count() == 0
    assert CouponUse.objects.count() == 2
    assert place(coupon="SPRING").price_micros == PRICE - 187_500
    assert audit(client=None, now=timezone.now()).problems == []


def test_an_order_that_upstream_canceled_gives_the_coupon_back_once(place, client_upstream, sandbox):
    spring = coupon(per_customer=2)
    place(coupon="SPRING")
    order = place(coupon="SPRING", link="https://example.com/2")
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="Canceled")

    for hours in (1, 30):
        poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=hours)))

    spring.refresh_from_db()
    assert (spring.uses, CouponUse.objects.filter(freed_at=None).count()) == (1, 1)


# --- Races ----------------------------------------------------------------------------------------------------------
def at_once(orders: list[dict[str, Any]]) -> list[Order | None]:
    """Place all of these at the same time; None for those that were refused."""

    def press(asked: dict[str, Any]) -> Order | None:
        try:
            return place_order(**asked, now=timezone.now())
        except OrderRefused:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(press, orders))


def tabs(users: list, codes: list[str], service: Service) -> list[dict[str, Any]]:
    bought = Service.objects.select_related("category").get(pk=service.pk)
    common = {"service": bought, "quantity": 1000, "link": "https://example.com/p"}
    pairs = [(user, code) for user in users for code in codes]
    return [
        {**common, "user": user, "coupon": code, "request_id": f"tab {number}"}
        for number, (user, code) in enumerate(pairs)
    ]


@pytest.mark.django_db(transaction=True)
def test_the_last_uses_of_a_coupon_by_many_at_once_are_taken_once_each(service):
    spring = coupon(in_all=3)
    users = [customer(f"c{number}@example.com", money="10.00") for number in range(8)]

    placed = at_once(tabs(users, ["SPRING"], service))

    spring.refresh_from_db()
    assert (len([order for order in placed if order]), spring.uses, CouponUse.objects.count()) == (3, 3, 3)
    assert sum(balance(user) for user in users) == 80_000_000 - 3 * (PRICE - 187_500)
    assert audit(client=None, now=timezone.now()).problems == []


@pytest.mark.django_db(transaction=True)
def test_the_only_use_of_a_customer_in_many_tabs_is_taken_once(service):
    spring = coupon(per_customer=1)
    ann = customer("ann@example.com", money="100.00")

    placed = at_once(tabs([ann], ["SPRING"] * 6, service))

    spring.refresh_from_db()
    assert (len([order for order in placed if order]), spring.uses) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_first_purchases_at_once_with_two_coupons_are_not_both_the_first(service):
    codes = [f"FIRST{number}" for number in range(6)]
    for code in codes:
        coupon(code, first_purchase_only=True)
    ann = customer("ann@example.com", money="100.00")

    placed = at_once(tabs([ann], codes, service))

    assert len([order for order in placed if order]) == 1
    assert sum(Coupon.objects.values_list("uses", flat=True)) == 1


@pytest.mark.django_db(transaction=True)
def test_sales_and_refunds_of_one_coupon_at_once_neither_wait_for_ever_nor_miscount(service):
    spring = coupon()
    users = [customer(f"c{number}@example.com", money="50.00") for number in range(4)]
    first = at_once(tabs(users, ["SPRING", "SPRING"], service))

    def cancel(order: Order) -> None:
        try:
            cancel_unsent(order.pk, user=order.user, now=timezone.now())
        finally:
            connection.close()

    more = [{**asked, "request_id": f"more {asked['request_id']}"} for asked in tabs(users, ["SPRING"] * 3, service)]
    with ThreadPoolExecutor(2) as both:
        canceling = both.submit(lambda: list(ThreadPoolExecutor(4).map(cancel, first)))
        assert None not in both.submit(at_once, more).result()
        canceling.result()

    spring.refresh_from_db()
    assert spring.uses == CouponUse.objects.filter(freed_at=None).count() == 12
    assert audit(client=None, now=timezone.now()).problems == []
