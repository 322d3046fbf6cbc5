"""Refunds: exactly once, whoever asks, and never above the price."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from orders.fulfilment.refusals import meaning_of
from orders.lifecycle.refunds import refund_up_to
from orders.models import KnownRefusal, Order, RefundReason
from wallet.models import LedgerEntry, Wallet

pytestmark = pytest.mark.sqlite


def test_refund_up_to_by_somebody_with_an_old_copy_gives_back_only_what_is_missing(paid_order, ann):
    old_copy = Order.objects.get(pk=paid_order.pk)
    refund_up_to(paid_order, 500_000, why=RefundReason.PARTIAL, now=timezone.now())

    given_back = refund_up_to(old_copy, 800_000, why=RefundReason.PARTIAL, now=timezone.now())

    assert (given_back, old_copy.refunded_micros) == (300_000, 800_000)
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - 1_875_000 + 800_000


def test_refund_up_to_more_than_the_price_gives_back_the_price(paid_order, ann):
    assert (
        refund_up_to(paid_order, 99_000_000, why=RefundReason.CANCELED, now=timezone.now()) == paid_order.price_micros
    )
    assert refund_up_to(paid_order, 99_000_000, why=RefundReason.CANCELED, now=timezone.now()) == 0
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


@pytest.mark.django_db(transaction=True)
def test_refund_up_to_from_many_threads_gives_back_once(paid_order, ann):
    copies = [Order.objects.select_related("user").get(pk=paid_order.pk) for _each in range(6)]

    def refund(order: Order) -> int:
        try:
            return refund_up_to(order, order.price_micros, why=RefundReason.CANCELED, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        given_back = list(threads.map(refund, copies))

    assert sorted(given_back) == [0, 0, 0, 0, 0, 1_875_000]
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND).count() == 1
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


def test_meaning_of_a_text_is_by_the_whole_text_and_a_status_below_500(db):
    KnownRefusal.objects.create(text="Link is private")

    assert meaning_of("Link is private", 200) == "order"
    assert meaning_of("Link is private", None) == "order"
    assert meaning_of("Link is private", 500) is None
    assert meaning_of("Link is private!", 200) is None
    assert meaning_of("Insufficient balance, order 5 placed", 200) is None
