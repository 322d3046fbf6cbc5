"""What a key spends in a day."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts.keys.api_keys import create_api_key, find_api_key, rotate_api_key
from accounts.keys.spending import DailyLimitReached, spend_with_key
from accounts.models import ApiKeySpending, User

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def test_spend_with_key_when_the_day_ends_in_utc_then_the_limit_begins_anew(ann: User) -> None:
    key, _text = create_api_key(user=ann, name="robot", daily_limit_micros=10)
    midnight = NOON + timedelta(hours=12)

    spend_with_key(key, 10, now=midnight - timedelta(seconds=1))
    with pytest.raises(DailyLimitReached):
        spend_with_key(key, 1, now=midnight - timedelta(seconds=1))
    spend_with_key(key, 10, now=midnight)

    assert list(ApiKeySpending.objects.values_list("spent_micros", flat=True)) == [10, 10]


@pytest.mark.django_db(transaction=True)
def test_spend_with_key_when_many_spend_at_once_then_the_limit_is_never_passed(ann: User) -> None:
    key, _text = create_api_key(user=ann, name="robot", daily_limit_micros=50)
    together = threading.Barrier(8)

    def spend(_number: int) -> bool:
        together.wait()
        try:
            with transaction.atomic():
                spend_with_key(key, 10)
        except DailyLimitReached:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        spent = list(pool.map(spend, range(8)))

    assert spent.count(True) == 5
    assert ApiKeySpending.objects.get().spent_micros == 50


def test_spend_with_key_when_it_was_rotated_then_all_of_its_row_share_one_limit(ann: User) -> None:
    first, first_text = create_api_key(user=ann, name="robot", daily_limit_micros=10)
    second, _text = rotate_api_key(first.pk, keep_old_for=DAY)
    third, third_text = rotate_api_key(second.pk, keep_old_for=DAY)
    keys = [first, second, third, *(find_api_key(text, address=None) for text in (first_text, third_text))]

    spent = 0
    for key in keys * 2:
        with suppress(DailyLimitReached):
            spend_with_key(key, 4, now=NOON)
            spent += 4

    assert spent == 8
    assert ApiKeySpending.objects.get().spent_micros == 8
    other, _text = create_api_key(user=ann, name="other", daily_limit_micros=10)
    spend_with_key(other, 10, now=NOON)  # a key of its own has a limit of its own
