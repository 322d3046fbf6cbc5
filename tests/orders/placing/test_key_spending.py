"""What a sale counts for the daily limit of the key it is bought with, in its own statement."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from accounts.keys.api_keys import create_api_key, rotate_api_key
from accounts.keys.spending import DailyLimitReached
from accounts.models import ApiKey, ApiKeySpending, User
from orders.models import Checkout, Order
from wallet.models import LedgerEntry
from wallet.operations import balance_of

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
DAY = timedelta(hours=24)
PRICE_MICROS = 1_875_000  # of what `place` orders


def spent_today(key: ApiKey) -> list[int]:
    return list(ApiKeySpending.objects.filter(key=key).values_list("spent_micros", flat=True))


def test_sale_when_bought_with_a_key_then_the_first_of_a_day_and_the_next_ones_count(
    place: Callable[..., Order], ann: User
) -> None:
    key, _text = create_api_key(user=ann, name="robot", daily_limit_micros=3 * PRICE_MICROS)
    other, _text = create_api_key(user=ann, name="other")

    prices = [place(api_key=key).price_micros for _each in range(3)]
    place(api_key=other)
    place()

    assert prices == 3 * [PRICE_MICROS]
    assert spent_today(key) == [3 * PRICE_MICROS]
    assert spent_today(other) == [PRICE_MICROS]


def test_sale_when_it_would_pass_the_keys_limit_then_nothing_is_sold(place: Callable[..., Order], ann: User) -> None:
    key, _text = create_api_key(user=ann, name="robot", daily_limit_micros=2 * PRICE_MICROS - 1)
    place(api_key=key)
    before = balance_of(ann)

    with pytest.raises(DailyLimitReached):
        place(api_key=key)

    assert (balance_of(ann), spent_today(key)) == (before, [PRICE_MICROS])
    assert (Order.objects.count(), Checkout.objects.count()) == (1, 1)
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CHARGE).count() == 1


def test_sale_when_the_key_was_rotated_then_both_count_as_one(place: Callable[..., Order], ann: User) -> None:
    old, _text = create_api_key(user=ann, name="robot", daily_limit_micros=2 * PRICE_MICROS)
    new, _text = rotate_api_key(old.pk, keep_old_for=DAY)

    place(api_key=old)
    place(api_key=new)
    with pytest.raises(DailyLimitReached):
        place(api_key=new)

    assert spent_today(old) == [2 * PRICE_MICROS]


@pytest.mark.django_db(transaction=True)
def test_sale_when_many_buy_at_once_with_a_key_then_its_limit_is_never_passed(
    place: Callable[..., Order], ann: User
) -> None:
    key, _text = create_api_key(user=ann, name="robot", daily_limit_micros=5 * PRICE_MICROS)
    together = threading.Barrier(8)

    def buy(_number: int) -> bool:
        together.wait()
        try:
            place(api_key=key)
        except DailyLimitReached:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        bought = list(pool.map(buy, range(8)))

    assert bought.count(True) == Order.objects.count() == 5
    assert spent_today(key) == [5 * PRICE_MICROS]
