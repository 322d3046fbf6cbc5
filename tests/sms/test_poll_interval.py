"""How often codes are asked for: by age, and by how many numbers share what may be asked."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.fulfilment.poll import poll_due
from orders.models import Order
from sms.poll_interval import Pace, pace_for
from tests.clock import stopped_at


@pytest.fixture(autouse=True)
def _intervals(settings: Any) -> None:
    settings.SMS_POLL_SECONDS, settings.SMS_POLL_MAX_SECONDS = 3, 20


def test_interval_stays_short_for_a_minute_and_then_grows_to_its_longest():
    pace = pace_for([1.0, 500.0], calls_per_second=40)

    assert [pace.interval(age) for age in (0, 84, 85, 110, 1000)] == [
        3,
        3,
        3,
        pytest.approx(14.1, abs=0.05),
        20,
    ]


def test_pace_in_a_crowd_lets_the_old_ones_wait_before_the_young_ones():
    young, old = [10.0] * 60, [600.0] * 1500

    pace = pace_for([*young, *old], calls_per_second=40)

    assert pace.interval(10) == 3
    assert 60 < pace.interval(600) <= 300
    assert sum(1 / pace.interval(age) for age in [*young, *old]) <= 40


def test_pace_in_a_crowd_of_young_ones_makes_all_wait_and_still_keeps_to_the_limit():
    ages = [10.0] * 600

    pace = pace_for(ages, calls_per_second=40)

    assert pace.interval(10) == pytest.approx(15, rel=0.06)
    assert sum(1 / pace.interval(age) for age in ages) <= 40


def test_pace_without_numbers_is_the_plain_one():
    assert pace_for([], calls_per_second=1) == Pace(20, 1.0, 3)


def actions(sandbox: Any) -> list[str]:
    return [entry["action"] for entry in sandbox.requests if entry["action"] in ("sms_code", "sms_status")]


def test_a_poll_asks_for_expiry_and_charge_now_and_then_and_for_the_code_else(waiting_number, client_upstream, sandbox):
    for seconds in (5, 10, 15, 130):
        poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(seconds=seconds)))

    # One call each time: both name a code that has come.
    assert actions(sandbox) == ["sms_status", "sms_code", "sms_code", "sms_status"]


def test_a_code_seen_by_the_status_is_fetched_with_its_message(waiting_number, client_upstream, sandbox):
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(seconds=5)))

    assert actions(sandbox) == ["sms_status", "sms_code"]
    assert Order.objects.get().number.content == "Your code is 482913"


def test_poll_due_takes_no_more_numbers_than_can_be_asked_about_in_a_second(buy, client_upstream, settings):
    from orders.fulfilment.forward import forward_order

    settings.UPSTREAM_MAX_PER_SECOND = 2
    for order in buy(quantity=3):
        forward_order(order.pk, client=client_upstream, clock=timezone.now)
    later = timezone.now() + timedelta(seconds=5)

    assert [poll_due(kind="number", client=client_upstream, clock=stopped_at(later)) for _each in range(3)] == [2, 1, 0]


def test_poll_due_asks_about_the_newest_numbers_first(buy, client_upstream, settings):
    from orders.fulfilment.forward import forward_order

    settings.UPSTREAM_MAX_PER_SECOND = 1
    orders = buy(quantity=2)
    for order in orders:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(seconds=5)))

    assert list(Order.objects.filter(polled_at__isnull=False)) == [orders[1]]
