"""Limits of numbers: open at once and in a day, the shop's or the customer's own, also for two purchases at once."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from orders.placing.refusals import OrderRefused
from sms.models import Number, NumberLimit
from sms.operations import buy_numbers
from tests.pages import page_words
from wallet.models import Wallet

OPEN = "You can have 3 open numbers at once"
DAY = "You can buy 4 numbers in 24 hours."


@pytest.fixture(autouse=True)
def _limits(settings) -> None:
    settings.SMS_MAX_OPEN_NUMBERS = 3
    settings.SMS_MAX_NUMBERS_PER_DAY = 4


def money(user) -> int:
    return Wallet.objects.get(user=user).balance_micros


@pytest.mark.django_db
def test_buy_numbers_when_too_many_would_be_open_takes_nothing_and_leaves_others_alone(buy, ann, ben) -> None:
    buy(quantity=2)
    before = money(ann)

    with pytest.raises(OrderRefused, match=OPEN):
        buy(quantity=2)

    assert (money(ann), ann.orders.count()) == (before, 2)
    assert len(buy(quantity=1)) == 1
    assert len(buy(user=ben, quantity=3)) == 3


@pytest.mark.django_db
def test_buy_numbers_when_codes_have_come_counts_the_day_instead(buy, ann) -> None:
    buy(quantity=3)
    Number.objects.update(state=Number.State.RECEIVED, phone="+1")
    buy()

    with pytest.raises(OrderRefused, match=DAY):
        buy()

    Number.objects.filter(state=Number.State.RECEIVED).update(
        created_at=timezone.now() - timedelta(hours=24, minutes=1)
    )
    assert len(buy(quantity=2)) == 2


@pytest.mark.django_db
def test_buy_numbers_when_some_never_came_does_not_count_them(buy) -> None:
    buy(quantity=3)
    Number.objects.update(state=Number.State.CANCELED)  # sold out upstream: no phone

    assert len(buy(quantity=3)) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("own", "allowed"),
    [
        ({"max_open": 1}, 1),
        ({"max_open": 0}, 0),
        ({"max_open": 9, "max_per_day": 6}, 6),
        ({"max_per_day": 2}, 2),
        ({}, 3),
    ],
)
def test_buy_numbers_when_staff_set_a_limit_for_the_customer_it_holds_instead(buy, ann, own, allowed) -> None:
    NumberLimit.objects.create(user=ann, **own)

    if allowed:
        assert len(buy(quantity=allowed)) == allowed
    with pytest.raises(OrderRefused):
        buy()


@pytest.mark.django_db
def test_buy_when_a_limit_is_reached_says_so_beside_the_button(buy, ann, project, client) -> None:
    buy(quantity=3)
    client.force_login(ann)

    posted = {"quantity": "1", "request_id": str(uuid.uuid4()), "shown_price_micros": "625000"}
    answer = client.post(reverse("sms:buy", args=[project.pk]), posted, headers={"HX-Request": "true"})

    assert "You can have 3 open numbers at once. Wait for their codes, then buy more." in page_words(answer)
    assert Order.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_buy_numbers_when_many_press_at_once_never_has_more_than_the_limit(ann, project) -> None:
    start, outcomes = threading.Barrier(4), []

    def press() -> None:
        try:
            start.wait()
            buy_numbers(user=ann, project=project, quantity=2, request_id=str(uuid.uuid4()))
            outcomes.append("bought")
        except OrderRefused:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["bought", "refused", "refused", "refused"]
    assert ann.orders.count() == 2
    assert money(ann) == 100_000_000 - 2 * 625_000
