"""Polling at scale: few statements for many orders, intervals learned from history, silence while upstream is down."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due, poll_open, record_reports
from orders.fulfilment.queue import forward_waiting
from orders.fulfilment.typical_duration import learn_pace
from orders.lifecycle.supply import Report, related_rows, supply_of
from orders.models import (
    Order,
    OrderEvent,
    ServicePace,
    Status,
)
from tests.clock import stopped_at
from upstream.client import Client
from upstream.limits.limiter import Limiter
from upstream.limits.store import Breaker

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
Code = OrderEvent.Code
SENT_AGO = timedelta(hours=1)


@pytest.fixture
def open_orders(ann: User, service: Service) -> Callable[..., list[Order]]:
    """Make rows of open orders that are due: `open_orders(count, status=…)`, as `record_reports` gets them."""
    service.category.rate_confirmed_at = timezone.now()
    service.category.save(update_fields=["rate_confirmed_at"])

    def make(count: int, **fields: Any) -> list[Order]:
        now, taken = timezone.now(), Order.objects.count()
        values = {
            "user": ann,
            "service": service,
            "title": service.title,
            "quantity": 1000,
            "link": "https://example.com/x",
            "price_micros": 1_875_000,
            "rate_micros": 1_875_000,
            "rate_upstream_micros": 1_500_000,
            "rate_per": 1000,
            "cost_upstream_micros": 1_500_000,
            "status": Status.PENDING,
            "sent_at": now - SENT_AGO,
            "next_poll_at": now - timedelta(minutes=1),
            **fields,
        }
        rows = [Order(**values, upstream_id=str(700_000 + taken + number)) for number in range(count)]
        Order.objects.bulk_create(rows)
        made = Order.objects.filter(upstream_id__in=[row.upstream_id for row in rows])
        return list(made.select_related(*related_rows("service")).order_by("id"))

    return make


def report(status: str, **fields: Any) -> Report:
    values = {"word": str(status), "charge_upstream_micros": 1_500_000, "start_count": 5, "remains": 400}
    return Report(**{"status": status, "payload": {"status": str(status), "näh": [1]}, **values, **fields})


def recorded(orders: list[Order], reports: list[Report], now: datetime | None = None) -> list[Order]:
    record_reports(list(zip(orders, reports, strict=True)), now=now or timezone.now())
    return list(Order.objects.filter(pk__in=[order.pk for order in orders]).order_by("id"))


# --- Recording --------------------------------------------------------------------------------------------------------
def test_polls_of_a_thousand_orders_need_less_than_thirty_statements(open_orders):
    words = [Status.PENDING] * 7 + [Status.IN_PROGRESS] * 2 + [Status.COMPLETED]
    orders = open_orders(1000)
    reports = [report(words[number % 10]) for number in range(1000)]

    with CaptureQueriesContext(connection) as statements:
        record_reports(list(zip(orders, reports, strict=True)), now=timezone.now())

    # Claiming takes five more. SQLite takes fewer rows a statement: there only the moves and numbers are as few.
    maximum = 25 if connection.vendor == "postgresql" else 60
    assert len(statements) < maximum
    assert Order.objects.filter(status=Status.COMPLETED, finished_at__isnull=False).count() == 100
    assert OrderEvent.objects.filter(code=Code.PROGRESS).count() == 200
    assert Notice.objects.count() == 100


def test_record_reports_together_writes_what_a_single_record_writes(open_orders):
    now = timezone.now()
    order, *_rest = recorded(open_orders(3), [report(Status.IN_PROGRESS)] * 3, now)

    assert (order.status, order.start_count, order.remains, order.charge_upstream_micros) == (
        Status.IN_PROGRESS,
        5,
        400,
        1_500_000,
    )
    assert (order.upstream_word, order.upstream_payload) == (
        "in_progress",
        {"status": "in_progress", "näh": [1]},
    )
    assert (order.polled_at, order.poll_claimed_until, order.finished_at) == (now, None, None)
    assert order.next_poll_at == supply_of(order).next_poll(order, now)
    event = order.events.get()
    assert (event.code, event.status) == (Code.PROGRESS, Status.IN_PROGRESS)
    assert event.data == {"start_count": 5, "remains": 400, "quantity": 1000}
    assert event.evidence == {"word": "in_progress", "before": {"remains": None, "charge": None}}


def test_record_reports_without_figures_keeps_those_that_are_known(open_orders):
    order = open_orders(1, remains=7, start_count=3)[0]

    order = recorded([order], [report(Status.PENDING, remains=None, start_count=None)])[0]

    assert (order.remains, order.start_count) == (7, 3)


def test_record_reports_when_one_order_cannot_be_recorded_records_the_others(open_orders, caplog):
    orders = open_orders(9)
    reports = [report(Status.COMPLETED) for _each in orders]
    endless: dict[str, Any] = {}
    endless["itself"] = endless  # no column holds that
    reports[4] = report(Status.COMPLETED, payload=endless)

    now_there = recorded(orders, reports)

    assert [order.status for order in now_there] == [
        Status.PENDING if number == 4 else Status.COMPLETED for number in range(9)
    ]
    assert OrderEvent.objects.filter(code=Code.COMPLETED).count() == 8
    assert caplog.text.count("poll_not_recorded") == 1


def test_record_reports_when_one_order_was_moved_meanwhile_leaves_it_and_records_the_others(open_orders):
    orders = open_orders(5)
    Order.objects.filter(pk=orders[1].pk).update(status=Status.CANCELED, next_poll_at=None)

    now_there = recorded(orders, [report(Status.COMPLETED) for _each in orders])

    statuses = [order.status for order in now_there]
    assert statuses == [Status.COMPLETED, Status.CANCELED, *[Status.COMPLETED] * 3]
    assert (now_there[1].next_poll_at, now_there[1].upstream_word) == (None, "")
    assert now_there[1].events.count() == 0


def test_record_reports_with_nothing_new_about_an_order_that_ended_meanwhile_does_not_wake_it(open_orders):
    orders = open_orders(3)
    Order.objects.filter(pk=orders[1].pk).update(status=Status.CANCELED, next_poll_at=None)

    now_there = recorded(orders, [report(Status.PENDING) for _each in orders])

    assert [order.upstream_word for order in now_there] == ["pending", "", "pending"]
    assert (now_there[1].status, now_there[1].next_poll_at) == (Status.CANCELED, None)


def test_poll_open_goes_on_until_nothing_is_due(open_orders, client_upstream, sandbox, service, settings):
    settings.ORDERS_POLL_BATCH = 3
    placed = [
        client_upstream.add(service_id=service.upstream_id, link="https://example.com/x", quantity=1000)
        for _each in range(8)
    ]
    for order, answer in zip(open_orders(8), placed, strict=True):
        Order.objects.filter(pk=order.pk).update(upstream_id=answer.order_id)

    assert poll_open(kind="service", client=client_upstream, seconds=30, clock=timezone.now) == 8
    assert not Order.objects.filter(polled_at=None).exists()


def test_poll_open_when_its_time_is_over_leaves_the_rest(open_orders, client_upstream, settings):
    open_orders(2)

    assert poll_open(kind="service", client=client_upstream, seconds=0, clock=timezone.now) == 0
    assert Order.objects.filter(poll_claimed_until=None).count() == 2


# --- Intervals --------------------------------------------------------------------------------------------------------
def finished_orders(orders: list[Order], seconds: list[int]) -> None:
    for order, took in zip(orders, seconds, strict=True):
        order.finished_at = order.sent_at + timedelta(seconds=took)
        learn_pace([order])


def test_learn_pace_takes_the_mean_of_the_first_orders_and_forgets_old_ones_slowly(open_orders, service):
    finished_orders(open_orders(3), [100, 200, 300])
    first = ServicePace.objects.get(service=service)
    assert (first.finished, first.usual_seconds) == (3, 200)

    finished_orders(open_orders(60), [400] * 60)

    pace = ServicePace.objects.get()
    assert pace.finished == 63
    assert 380 < pace.usual_seconds < 400


def test_learn_pace_of_an_order_that_hung_for_weeks_counts_it_a_little(open_orders):
    finished_orders(open_orders(10), [600] * 10)
    finished_orders(open_orders(1), [30 * 24 * 3600])

    assert 600 < ServicePace.objects.get().usual_seconds < 800


def test_learn_pace_of_several_at_once_is_two_statements(open_orders, django_assert_num_queries):
    orders = open_orders(5)
    for order in orders:
        order.finished_at = order.sent_at + timedelta(minutes=2)

    with django_assert_num_queries(2 + 2):  # BEGIN and COMMIT
        learn_pace(orders)

    assert (ServicePace.objects.get().finished, ServicePace.objects.get().usual_seconds) == (5, 120)


def test_record_reports_learns_from_finished_orders_refunded_ones_included(open_orders):
    orders = open_orders(2)

    recorded(orders, [report(Status.COMPLETED), report(Status.PARTIAL, remains=10)])

    pace = ServicePace.objects.get()
    assert pace.finished == 2
    assert abs(pace.usual_seconds - SENT_AGO.total_seconds()) < 60


@pytest.mark.parametrize(
    ("finished", "usual_seconds", "age", "wait_seconds"),
    [
        (0, 0, timedelta(minutes=10), 60),  # nothing is known: a tenth of the age
        (2, 60, timedelta(minutes=10), 60),  # two orders prove nothing
        (50, 60, timedelta(seconds=30), 15),  # fast and young: as often as allowed
        (50, 7200, timedelta(seconds=30), 360),  # slow: no sooner than a twentieth of what is usual
        (50, 7200, timedelta(hours=2), 360),
        (50, 7200, timedelta(hours=6), 360 + 720),  # overdue: ever more seldom
        (50, 600_000, timedelta(days=1), 3600),  # never more than the cap
        (50, 60, timedelta(days=30), 3600),
    ],
)
def test_next_poll_follows_the_age_and_the_usual_time(open_orders, finished, usual_seconds, age, wait_seconds):
    order = open_orders(1)[0]
    order.service.pace = ServicePace(service=order.service, finished=finished, usual_seconds=usual_seconds)
    now = order.sent_at + age

    assert supply_of(order).next_poll(order, now) == now + timedelta(seconds=wait_seconds)


# --- Upstream is down -------------------------------------------------------------------------------------------------
@pytest.fixture
def careful(sandbox: Any) -> Iterator[Client]:
    """A client whose breaker opens at the second failure and tries again after half a second."""
    breaker = Breaker(failures=2, first_wait_seconds=0.5, longest_wait_seconds=0.5)
    limiter = Limiter(django_settings.REDIS_URL, per_second=1000, in_flight=4, breaker=breaker)
    client = sandbox.client(limiter=limiter, timeout_seconds=3)
    yield client
    client.close()


@pytest.fixture
def outage(sandbox: Any, careful: Client, sent_order: Order) -> None:
    """Upstream has gone away, and the breaker knows."""
    sandbox.fail_next("refuse_connections")
    for _each in range(4):
        careful.answers()
        poll_due(kind="service", client=careful, clock=stopped_at(timezone.now() + timedelta(hours=1)))
    assert careful.limiter is not None
    assert careful.limiter.down() is not None


def test_poll_while_upstream_is_down_claims_nothing(outage, careful, sent_order):
    Order.objects.update(poll_claimed_until=None, next_poll_at=timezone.now() - timedelta(minutes=1))
    sent = careful.usage.requests

    assert poll_due(kind="service", client=careful, clock=stopped_at(timezone.now())) == 0

    assert Order.objects.filter(poll_claimed_until=None).count() == 1
    assert careful.usage.requests <= sent + 3  # the one that tries


def test_forward_while_upstream_is_down_leaves_orders_paid_without_a_trace(outage, careful, place):
    order = place()

    assert not forward_order(order.pk, client=careful, clock=timezone.now)
    assert forward_waiting(client=careful, clock=timezone.now) == 0

    order.refresh_from_db()
    assert (order.status, order.attempts, order.not_before) == (Status.PAID, 0, None)
    assert list(order.events.values_list("code", flat=True)) == [Code.PLACED]


def test_forward_when_upstream_is_back_goes_on_by_itself(outage, careful, place, sandbox):
    order = place()
    sandbox.clear_faults()
    time.sleep(0.6)

    assert forward_waiting(client=careful, clock=timezone.now) == 1

    order.refresh_from_db()
    assert order.status == Status.PENDING


def test_poll_when_upstream_goes_down_in_the_middle_keeps_the_rest_due(open_orders, careful, sandbox, settings):
    settings.UPSTREAM_MAX_IN_FLIGHT = 1
    orders = open_orders(10)
    due_at = orders[0].next_poll_at
    sandbox.fail_next("refuse_connections")

    assert poll_due(kind="service", client=careful, clock=stopped_at(timezone.now())) == 0

    kept = Order.objects.filter(next_poll_at=due_at, poll_claimed_until=None)
    assert kept.count() >= 8
    assert Order.objects.filter(polled_at=None, status=Status.PENDING).count() == 10


def test_the_admins_first_page_says_that_upstream_is_down(client, sam, sandbox, monkeypatch):
    from upstream.client import default_client
    from upstream.limits.limiter import Outcome

    monkeypatch.setattr("storefront.admin_home.page.CACHE_SECONDS", 0)
    client.force_login(sam)
    limiter = default_client().limiter
    assert limiter is not None
    assert "answered for" not in client.get("/admin/").content.decode()

    for _each in range(5):
        limiter.release(limiter.take(purchase=False, lease_seconds=5, patience_seconds=5), Outcome.FAILED)

    assert "Hasn&#x27;t answered for" in client.get("/admin/").content.decode()
