"""What goes wrong around the engine: a database that goes away, answers nobody expects, one row that spoils others."""

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Service
from orders.accounting.audit import audit
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.fulfilment.pauses import end_pause, pause_forwarding
from orders.fulfilment.poll import poll_due
from orders.models import ForwardingPause, LostAttempt, Order, OrderEvent, Status, UpstreamEntry
from orders.placing.place import OrderRefused
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_as_placed, resolve_by_refund
from tests.clock import stopped_at
from tests.orders.attention import attempt_of, flags_of, said_of
from tests.upstream.raw_server import PLACED, RawServer, answer, client_of
from wallet.models import LedgerEntry
from wallet.operations import credit

Code = OrderEvent.Code
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
LATER = timedelta(hours=1)


@pytest.fixture
def opened(db: None) -> None:
    """The account upstream has been looked at before: servers of a test need not know `balance`."""
    UpstreamEntry.objects.create(kind=UpstreamEntry.Kind.OPENING, amount_upstream_micros=1_000_000_000)


def shake_database() -> Callable[[], None]:
    """Return what takes the caller's database away for a moment: its connection is cut, or its file is locked."""
    settings = connection.settings_dict
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        else:
            cursor.execute("PRAGMA busy_timeout=100")  # production waits for 30 seconds, and so would this test

    def cut() -> None:
        address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
        with psycopg.connect(dbname=settings["NAME"], password=settings["PASSWORD"], **address) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    def lock() -> None:
        other = sqlite3.connect(settings["NAME"], check_same_thread=False, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.6, other.close).start()

    return cut if connection.vendor == "postgresql" else lock


def test_an_accepted_order_is_recorded_though_the_database_goes_away_during_the_call(paid_order, opened):
    shake = shake_database()

    def behave(sock: Any, _: Any) -> None:
        shake()
        sock.sendall(PLACED)

    with RawServer(behave) as server:
        forward_order(paid_order.pk, client=client_of(server), clock=timezone.now)

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.upstream_id) == (Status.PENDING, "23501")


def test_an_accepted_order_whose_id_another_order_has_is_unknown_and_names_it(place, opened):
    first, second = place(), place()
    with RawServer(lambda sock, _: sock.sendall(PLACED)) as server:
        client = client_of(server)

        for order in (first, second):
            forward_order(order.pk, client=client, clock=timezone.now)

    second.refresh_from_db()
    assert (second.status, second.upstream_id) == (Status.UNKNOWN, None)
    assert "23501" in said_of(second)
    assert not second.events.filter(code=Code.LOSS).exists()


def test_an_answer_that_confirms_what_the_admin_found_is_no_loss(paid_order, client_upstream, sandbox, sam):
    claim = engine._claim(paid_order, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + LATER)
    placed = engine.supply_of(claim.order).send(client_upstream, claim.order)
    resolve_as_placed(
        paid_order.pk, upstream_id=placed.upstream_id, actor=sam, client=client_upstream, now=timezone.now()
    )

    engine._record_placed(claim, engine.supply_of(claim.order), placed, now=timezone.now())

    paid_order.refresh_from_db()
    assert (paid_order.status, flags_of(paid_order)) == (Status.PENDING, [])
    assert not paid_order.events.filter(code=Code.LOSS).exists()


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


def test_pauses_that_begin_and_end_at_the_same_time_break_nobody():
    ends_at = time.monotonic() + 4

    def pause(_number: int) -> None:
        try:
            while time.monotonic() < ends_at:
                pause_forwarding(reason=ForwardingPause.Reason.BALANCE, now=timezone.now())
        finally:
            connection.close()

    def resume() -> None:
        try:
            while time.monotonic() < ends_at:
                for pk in ForwardingPause.objects.filter(ended_at=None).values_list("pk", flat=True):
                    end_pause(pk, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        ender = threads.submit(resume)
        list(threads.map(pause, range(3)))
        ender.result()


def test_place_order_of_a_service_without_a_price_is_refused(place, service):
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=0)

    with pytest.raises(OrderRefused, match="no price"):
        place()


def test_audit_counts_what_came_after_a_refund_as_charged(paid_order, client_upstream, sandbox, sam):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine._claim(paid_order, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + LATER)
    resolve_by_refund(paid_order.pk, actor=sam, now=timezone.now())
    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)
    paid_order.refresh_from_db()
    assert paid_order.events.filter(code=Code.LOSS).exists()
    assert (paid_order.upstream_id, attempt_of(paid_order).state) == (
        str(sandbox.orders[0]["id"]),
        LostAttempt.State.LOSS,
    )

    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_audit_allows_for_an_unknown_order_that_was_refunded_by_hand(paid_order, client_upstream, sandbox, sam):
    sandbox.fail_next("lose_reply", action="add")
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    resolve_by_refund(paid_order.pk, actor=sam, now=timezone.now())

    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_audit_names_a_refund_whose_reference_is_no_orders(ann):
    credit(user=ann, amount_micros=1_000_000, kind=LedgerEntry.Kind.REFUND, reference="by hand")

    [problem] = audit(client=None, now=timezone.now()).problems
    assert "by hand" in problem


def test_audit_of_a_shop_that_is_selling_finds_nothing_wrong(place, client_upstream, sandbox):
    for _each in range(20):
        place(quantity=10)
    ends_at, problems = time.monotonic() + 6, []

    def sell() -> None:
        try:
            while time.monotonic() < ends_at:
                order = place(quantity=100)
                forward_order(order.pk, client=client_upstream, clock=timezone.now)
                order.refresh_from_db()
                sandbox.set_order(order.upstream_id, status="Canceled")
                poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + LATER))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        seller = threads.submit(sell)
        while time.monotonic() < ends_at:
            problems += audit(client=client_upstream, now=timezone.now()).problems
        seller.result()

    assert problems == []


def test_audit_counts_both_orders_of_one_that_was_sent_again_and_then_answered_late(
    paid_order, client_upstream, sandbox, sam
):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine._claim(paid_order, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + LATER)
    resolve_as_not_placed(paid_order.pk, actor=sam, now=timezone.now())
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)
    assert len(sandbox.orders) == 2

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + LATER))
    sandbox.set_order(Order.objects.get().upstream_id, status="Completed")
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + 3 * LATER))

    assert audit(client=client_upstream, now=timezone.now()).problems == []
