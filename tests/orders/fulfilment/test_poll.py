"""Polling: what upstream says becomes moves, refunds and flags; silence changes nothing."""

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from catalog.models import Service
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.refunds import partial_refund_micros
from orders.lifecycle.supply import supplies, supply_of
from orders.models import Order, OrderEvent, Status
from tests.clock import stopped_at
from tests.orders.attention import Flag, flags_of, said_of
from tests.upstream.raw_server import RawServer, answer, client_of
from wallet.models import LedgerEntry, Wallet

Code = OrderEvent.Code
LATER = timedelta(hours=1)
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def poll(client_upstream):
    """Poll everything, as if all were due: `poll(days=…)` that much later."""

    def poll_all(**later) -> int:
        now = timezone.now() + timedelta(days=3) + timedelta(**later)
        return poll_due(kind="service", client=client_upstream, clock=stopped_at(now))

    return poll_all


def refunds(order: Order) -> list[int]:
    mine = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND, reference__startswith=f"order:{order.pk}:")
    return list(mine.order_by("id").values_list("amount_micros", flat=True))


def test_poll_when_work_begins_and_ends_follows_it(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="In progress", start_count=50, remains=400)
    poll()
    sent_order.refresh_from_db()
    assert (sent_order.status, sent_order.start_count, sent_order.done) == (Status.IN_PROGRESS, 50, 600)

    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)
    poll(hours=2)

    sent_order.refresh_from_db()
    assert (sent_order.status, refunds(sent_order)) == (Status.COMPLETED, [])
    assert sent_order.charge_upstream_micros == 1_500_000
    assert list(sent_order.events.values_list("code", flat=True))[-2:] == [Code.PROGRESS, Code.COMPLETED]


def test_poll_of_a_partial_order_refunds_what_remains_with_the_arithmetic_shown(sent_order, poll, sandbox, ann):
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=333)

    poll()
    poll(hours=1)

    sent_order.refresh_from_db()
    assert (sent_order.status, refunds(sent_order)) == (Status.PARTIAL, [624_300])  # 1.875 × 333 ÷ 1000, down to 0.0001
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - 1_875_000 + 624_300
    assert sent_order.events.get(code=Code.REFUNDED).data == {
        "why": "partial",
        "refund_micros": 624_300,
        "price_micros": 1_875_000,
        "quantity": 1000,
        "remains": 333,
    }


def test_poll_of_a_canceled_order_refunds_it_whole_and_once(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="Canceled")

    poll()
    poll(hours=1)

    sent_order.refresh_from_db()
    assert (sent_order.status, refunds(sent_order)) == (Status.CANCELED, [1_875_000])
    assert sent_order.next_poll_at is not None  # it is watched like every finished order


def test_poll_when_a_refund_follows_one_answer_records_the_routine_ones_first(send, poll, sandbox):
    canceled, completed = send(link="https://instagram.com/ann"), send(link="https://instagram.com/bob")
    sandbox.set_order(canceled.upstream_id, status="Canceled")
    sandbox.set_order(completed.upstream_id, status="Completed", remains=0)

    poll()

    ends = OrderEvent.objects.filter(code__in=(Code.CANCELED, Code.COMPLETED)).order_by("id")
    assert list(ends.values_list("order", flat=True)) == [completed.pk, canceled.pk]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_poll_when_somebody_holds_the_row_of_a_routine_answer_then_the_others_are_refunded_all_the_same(
    send, poll, sandbox
):
    canceled, completed = send(link="https://instagram.com/ann"), send(link="https://instagram.com/bob")
    sandbox.set_order(canceled.upstream_id, status="Canceled")
    sandbox.set_order(completed.upstream_id, status="Completed", remains=0)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=completed.pk)
            held.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    try:
        with suppress(OperationalError):
            poll()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        done.set()
        thread.join()

    assert refunds(canceled) == [1_875_000]


@pytest.mark.parametrize(
    ("remains", "refund"), [(-5, None), (0, None), (1, [1_800]), (1000, [1_875_000]), (99_999, [1_875_000])]
)
def test_poll_of_a_partial_order_clamps_what_upstream_says_remains(sent_order, poll, sandbox, remains, refund):
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=remains)

    poll()

    assert refunds(sent_order) == (refund or [])


def test_poll_when_work_goes_on_after_a_partial_refund_refunds_no_more(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=200)
    poll()
    sandbox.set_order(sent_order.upstream_id, status="In progress", remains=900)

    poll(days=1)

    sent_order.refresh_from_db()
    assert (sent_order.status, refunds(sent_order)) == (Status.PARTIAL, [375_000])
    assert flags_of(sent_order) == [Flag.WENT_BACK]
    assert said_of(sent_order) == "Upstream went from Partial to In progress"


def test_poll_when_a_completed_order_becomes_partial_refunds_too(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)
    poll()
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=500)
    poll(days=1)
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=600)
    poll(days=3)
    sandbox.set_order(sent_order.upstream_id, status="Canceled")
    poll(days=7)

    sent_order.refresh_from_db()
    assert refunds(sent_order) == [937_500, 187_500, 750_000]
    assert (sent_order.status, sent_order.refunded_micros) == (Status.CANCELED, sent_order.price_micros)


@pytest.mark.parametrize("word", ["In Progress", "Processing", "in_progress"])
def test_poll_understands_other_spellings(sent_order, poll, sandbox, word):
    sandbox.set_order(sent_order.upstream_id, status=word)

    poll()

    sent_order.refresh_from_db()
    assert sent_order.status == Status.IN_PROGRESS


def test_poll_with_a_word_we_do_not_know_changes_nothing_and_tells_the_admin_once(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="On hold")

    poll()
    poll(hours=1)

    sent_order.refresh_from_db()
    assert (sent_order.status, refunds(sent_order)) == (Status.PENDING, [])
    assert said_of(sent_order) == "Unknown upstream status word: On hold"
    assert sent_order.events.filter(code=Code.ATTENTION).count() == 1
    sandbox.set_order(sent_order.upstream_id, status="Completed")
    poll(hours=2)
    sent_order.refresh_from_db()
    assert sent_order.status == Status.COMPLETED


@pytest.mark.parametrize("fault", ["500_before", "garbage", "half_body", "429", "lose_reply"])
def test_poll_that_fails_changes_nothing_and_is_asked_again(sent_order, poll, sandbox, fault):
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)
    sandbox.fail_next(fault, action="status", times=3)

    poll()

    sent_order.refresh_from_db()
    assert sent_order.status == Status.PENDING
    assert sent_order.next_poll_at is not None
    sandbox.clear_faults()
    poll(hours=1)
    sent_order.refresh_from_db()
    assert sent_order.status == Status.COMPLETED


def test_poll_when_upstream_has_forgotten_the_order_changes_nothing(sent_order, poll, sandbox):
    Order.objects.update(upstream_id="424242")

    poll()

    sent_order.refresh_from_db()
    assert sent_order.status == Status.PENDING


def test_poll_when_upstream_charged_more_than_the_customer_paid_pauses_the_service(sent_order, poll, sandbox, service):
    sandbox.set_order(sent_order.upstream_id, status="In progress", charge="2.00")

    poll()

    sent_order.refresh_from_db()
    service.refresh_from_db()
    assert said_of(sent_order) == "Upstream charged more than the customer paid"
    assert service.paused_because == f"Upstream charged more than the customer paid (order {sent_order.pk})"


def test_poll_leaves_orders_alone_whose_time_has_not_come(sent_order, client_upstream):
    assert poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now())) == 0


def test_poll_by_two_workers_asks_about_each_order_once(place, client_upstream, sandbox):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    for order in [place(quantity=100) for _each in range(8)]:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)
    later = timezone.now() + timedelta(hours=1)

    def poll(_number: int) -> int:
        try:
            return poll_due(kind="service", client=client_upstream, clock=stopped_at(later))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = sum(threads.map(poll, range(2)))

    assert answers == 8
    assert sum(request["action"] == "status" for request in sandbox.requests) == 8


def test_poll_of_a_quiet_batch_needs_a_fixed_number_of_statements(
    place, client_upstream, sandbox, django_assert_num_queries
):
    later = timezone.now() + timedelta(hours=1)
    for count in (1, 3):
        for _each in range(count):
            forward_order(place(quantity=100).pk, client=client_upstream, clock=timezone.now)
        poll_due(kind="service", client=client_upstream, clock=stopped_at(later))  # learn the charge
        later += timedelta(hours=2)
        with django_assert_num_queries(9):
            poll_due(kind="service", client=client_upstream, clock=stopped_at(later))
        later += timedelta(hours=2)


def test_young_orders_are_asked_often_and_old_ones_seldom(sent_order, service):

    supply, sent = supply_of(sent_order), sent_order.sent_at
    waits = [
        supply.next_poll(sent_order, sent + age) - (sent + age)
        for age in (timedelta(0), timedelta(minutes=10), timedelta(days=3))
    ]

    assert waits == [timedelta(seconds=15), timedelta(seconds=60), timedelta(hours=1)]
    assert Service.objects.count() == 1


@pytest.mark.parametrize(
    ("price", "quantity", "remains", "refund"),
    [(1_000_000, 3, 1, 333_300), (1_000_000, 3, 3, 1_000_000), (100, 7, 6, 0), (1_875_050, 1000, 1000, 1_875_050)],
)
def test_partial_refund_is_rounded_down_to_a_hundredth_of_a_cent(price, quantity, remains, refund):
    assert partial_refund_micros(price, quantity, remains) == refund


def test_poll_when_a_question_fails_repeats_it_after_what_its_kind_waits(
    sent_order, client_upstream, sandbox, settings
):
    settings.ORDERS_POLL_RETRY_SECONDS, settings.SMS_POLL_SECONDS = 77, 5
    sandbox.fail_next("500_before", action="status", times=9)
    now = sent_order.next_poll_at

    poll_due(kind="service", client=client_upstream, clock=stopped_at(now))

    sent_order.refresh_from_db()
    assert sent_order.next_poll_at == now + timedelta(seconds=77)
    assert supplies()["number"].retry_after == timedelta(seconds=5)


def test_a_poll_whose_answer_breaks_the_reader_does_not_spoil_the_others(place, client_upstream):
    orders = [place(quantity=100) for _each in range(3)]
    for order in orders:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)
    broken = Order.objects.get(pk=orders[1].pk).upstream_id
    nested = '{"status": "Completed", "accounts": ' + "[" * 900 + "]" * 900 + "}"

    def behave(sock: Any, received: Any) -> None:
        sock.sendall(answer(nested if received.form["order"] == broken else '{"status": "Completed", "remains": 0}'))

    with RawServer(behave) as server:
        poll_due(kind="service", client=client_of(server), clock=stopped_at(timezone.now() + LATER))

    statuses = list(Order.objects.order_by("id").values_list("status", flat=True))
    assert (statuses[0], statuses[2]) == (Status.COMPLETED, Status.COMPLETED)


def test_poll_of_a_partial_order_that_does_not_say_what_remains_asks_a_human(sent_order, client_upstream, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="In progress", remains=1000)
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + LATER))
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=None)

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + 3 * LATER))

    sent_order.refresh_from_db()
    assert sent_order.refunded_micros == 0  # the 1,000 of an hour ago say nothing about now
    assert said_of(sent_order) == "Partial, but upstream does not say how much remains"


def test_poll_of_a_settled_partial_order_that_no_longer_says_what_remains_is_quiet(
    sent_order, client_upstream, sandbox
):
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=500)
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + LATER))
    sandbox.set_order(sent_order.upstream_id, status="Partial", remains=None)

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=1)))

    sent_order.refresh_from_db()
    assert (sent_order.refunded_micros, flags_of(sent_order)) == (937_500, [])
