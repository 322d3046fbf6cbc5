"""Late checks of finished orders: they keep to their share, and no order under way ever waits for one."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from bench.stage import order_rows
from orders.fulfilment.forward import forward_order
from orders.fulfilment.late_checks import Allowance, next_look
from orders.fulfilment.poll import _claim_due, poll_due
from orders.models import Order, Status
from tests.clock import stopped_at

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
HOUR = timedelta(hours=1)


@pytest.fixture
def finished(ann, service):
    """`finished(count, due_at)`: that many orders of Ann's, finished half a day before they are to be looked at."""

    def make(count: int, due_at: datetime, **fields) -> None:
        fields = {"status": Status.COMPLETED, "finished_at": due_at - 12 * HOUR, **fields}
        rows = order_rows(ann, service, count, sent_at=due_at - 24 * HOUR, next_poll_at=due_at, **fields)
        for number, row in enumerate(rows, start=Order.objects.count()):
            row.upstream_id = f"x{number}"
        Order.objects.bulk_create(rows)

    return make


def test_poll_after_an_outage_asks_about_open_orders_before_finished_ones(place, finished, client_upstream, settings):
    settings.ORDERS_POLL_BATCH = 100
    live = place()
    forward_order(live.pk, client=client_upstream, clock=timezone.now)
    now = timezone.now() + HOUR
    finished(1000, now - 1.5 * HOUR)

    claimed = _claim_due("service", now)

    assert claimed[0].pk == live.pk
    assert len(claimed) == 11  # and a tenth of the batch for finished ones


def test_poll_when_open_orders_fill_a_batch_takes_no_finished_one(finished, settings):
    settings.ORDERS_POLL_BATCH = 10
    now = timezone.now() + HOUR
    finished(5, now - 2 * HOUR)
    finished(25, now - HOUR, status=Status.IN_PROGRESS, finished_at=None)

    statuses = [{order.status for order in _claim_due("service", now)} for _each in range(3)]

    assert statuses == [{Status.IN_PROGRESS}, {Status.IN_PROGRESS}, {Status.IN_PROGRESS, Status.COMPLETED}]


def test_poll_of_finished_orders_keeps_to_their_share_of_the_calls_of_a_second(finished, settings):
    settings.UPSTREAM_MAX_PER_SECOND, settings.LATE_CHECK_SHARE = 10, Decimal("0.2")  # two a second
    settings.ORDERS_POLL_BATCH = 400
    now = timezone.now() - 1000 * HOUR  # before all that other tests asked
    finished(400, now - HOUR)

    first = [len(_claim_due("service", now)) for _each in range(3)]
    later = [len(_claim_due("service", now + timedelta(seconds=5))) for _each in range(2)]

    assert (first, later) == ([80, 40, 0], [10, 0])  # a fifth of a batch; what a minute saved up; five seconds


def test_poll_of_a_failed_order_with_a_charge_counts_as_a_late_check(finished, settings):
    settings.ORDERS_POLL_BATCH = 10
    now = timezone.now() - 2000 * HOUR
    finished(5, now - HOUR, status=Status.FAILED)

    assert len(_claim_due("service", now)) == 1


def test_poll_of_the_longest_overdue_finished_order_comes_first(finished, sandbox, client_upstream, settings):
    settings.ORDERS_POLL_BATCH = 10
    now = timezone.now() - 3000 * HOUR
    finished(1, now - HOUR)
    finished(1, now - 3 * HOUR)
    finished(1, now - 2 * HOUR)

    poll_due(kind="service", client=client_upstream, clock=stopped_at(now))

    asked = Order.objects.exclude(polled_at=None).get()
    assert asked.upstream_id == "x1"


def test_next_look_takes_ever_longer_pauses_and_ends_with_the_days():
    ended = datetime.fromisoformat("2026-03-01T00:00+00:00")
    looks, look = [], next_look(ended, ended)
    while look is not None:
        looks.append((look - ended) / HOUR)
        look = next_look(ended, look)

    assert looks == [12, 24, 48, 96, 168]
    assert next_look(ended, ended + 167.5 * HOUR) == ended + 168.5 * HOUR  # the last one is not left out
    assert next_look(ended, ended + 168 * HOUR) is None


def test_next_look_without_days_is_none(settings):
    settings.LATE_CHANGE_DAYS = 0
    assert next_look(timezone.now(), timezone.now()) is None


def test_allowance_when_the_clock_was_set_back_or_nothing_was_found_goes_on(settings):
    settings.UPSTREAM_MAX_PER_SECOND, settings.LATE_CHECK_SHARE = 10, Decimal("0.1")
    now = timezone.now()
    allowance = Allowance()

    assert allowance.take(100, now=now) == 60
    allowance.give_back(60)
    assert allowance.take(50, now=now) == 50
    assert allowance.take(50, now=now) == 10
    assert allowance.take(50, now=now - HOUR) == 50


def test_allowance_when_threads_read_the_clock_a_moment_apart_gives_no_more_than_its_share():
    shared, now, granted = Allowance(), timezone.now(), 0
    shared.take(10**6, now=now)

    for number in range(100):  # within a second, of which each thread's clock was read before the other's turn
        at = now + timedelta(milliseconds=10 * number)
        granted += shared.take(2, now=at + timedelta(milliseconds=5)) + shared.take(2, now=at)

    assert granted <= 3
