"""The sweep of the queue: until it is empty, beside other sweeps, with orders as they are when they are sent."""

import itertools
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.fulfilment import queue as sweep
from orders.fulfilment.forward import forward_order
from orders.fulfilment.pauses import pause_forwarding
from orders.fulfilment.queue import forward_orders, forward_waiting, sweep_queue
from orders.models import ForwardingPause, HoldReason, Order, Status
from tests.orders.attention import said_of

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


def confirm_unit(service) -> None:
    service.category.rate_confirmed_at = timezone.now()
    service.category.save(update_fields=["rate_confirmed_at"])


def test_sweep_queue_goes_on_until_nothing_waits(place, client_upstream, service, monkeypatch):
    confirm_unit(service)
    monkeypatch.setattr(sweep, "READ_AHEAD", 2)
    for _each in range(8):
        place(quantity=100)

    assert sweep_queue(client=client_upstream, seconds=30, clock=timezone.now) == 8
    assert set(Order.objects.values_list("status", "taken_until")) == {(Status.PENDING, None)}


def test_forward_waiting_leaves_what_another_sweep_has_taken_until_that_is_long_ago(place, client_upstream, service):
    confirm_unit(service)
    first, second = place(), place()
    soon = timezone.now() + timedelta(seconds=5)
    Order.objects.filter(pk=first.pk).update(taken_until=soon)

    assert forward_waiting(client=client_upstream, clock=timezone.now) == 1
    second.refresh_from_db()
    assert second.status == Status.PENDING

    Order.objects.filter(pk=first.pk).update(taken_until=timezone.now() - timedelta(seconds=1))
    assert forward_waiting(client=client_upstream, clock=timezone.now) == 1


def test_sweep_queue_sends_what_is_paid_while_it_is_at_work(place, client_upstream, service, monkeypatch):
    confirm_unit(service)
    place(quantity=100)
    take = sweep._Queue._take

    def and_one_more_comes(queue, places):
        if Order.objects.count() < 3:
            place(quantity=100)
        return take(queue, places)

    monkeypatch.setattr(sweep._Queue, "_take", and_one_more_comes)

    assert sweep_queue(client=client_upstream, seconds=30, clock=timezone.now) == 3


def test_sweep_queue_tries_an_order_that_went_back_only_once(place, client_upstream, service, sandbox):
    confirm_unit(service)
    place(), place()
    sandbox.fail_next("429", action="add", times=4)
    # As if the time it has to wait were over at once: a clock on which five seconds pass each time it is asked.
    moments = itertools.count(1)

    def clock() -> datetime:
        return timezone.now() + next(moments) * timedelta(seconds=5)

    assert sweep_queue(client=client_upstream, seconds=30, clock=clock) == 2


def test_forward_waiting_gives_back_what_it_took_and_did_not_send(place, client_upstream, sandbox, service):
    confirm_unit(service)
    orders = [place(), place()]
    sandbox.fail_next("429", action="add", times=2)

    forward_waiting(client=client_upstream, clock=timezone.now)

    for order in orders:
        order.refresh_from_db()
        assert (order.status, order.taken_until) == (Status.PAID, None)


def test_forward_waiting_reads_an_order_again_that_was_read_a_while_ago(place, client_upstream, service, monkeypatch):
    confirm_unit(service)
    monkeypatch.setattr(sweep, "FRESH_SECONDS", 0.0)
    order = place()
    read_ahead = sweep._Queue.read_ahead

    def then_the_service_is_paused(queue):
        for read in read_ahead(queue):
            type(service).objects.filter(pk=service.pk).update(paused_because="under review")
            yield read

    monkeypatch.setattr(sweep._Queue, "read_ahead", then_the_service_is_paused)

    assert forward_waiting(client=client_upstream, clock=timezone.now) == 0

    order.refresh_from_db()
    assert (order.status, order.held_because) == (Status.PAID, HoldReason.SERVICE_PAUSED)
    assert said_of(order) == "The service is paused: under review"


def test_orders_of_a_handful_are_read_with_as_many_statements_as_one(place, service):
    confirm_unit(service)
    many = [place(quantity=100).pk for _each in range(7)]

    with CaptureQueriesContext(connection) as for_one:
        assert len(sweep._read_together(many[:1])) == 1
    with CaptureQueriesContext(connection) as for_many:
        found = sweep._read_together(many)
        # What is needed to send them is there.
        assert [(read.order.pk, read.order.service.category.pk) for read in found] == [
            (pk, service.category_id) for pk in many
        ]

    assert len(for_many) == len(for_one)


def test_forward_orders_when_many_come_together_reads_a_handful_at_a_time(place, client_upstream, service, monkeypatch):
    confirm_unit(service)
    monkeypatch.setattr(sweep, "WOKEN_HANDFUL", 3)
    order_ids, read, sizes = [place(quantity=100).pk for _each in range(7)], sweep._read_together, []

    def counted(asked):
        sizes.append(len(asked))
        return read(asked)

    monkeypatch.setattr(sweep, "_read_together", counted)

    assert forward_orders(order_ids, client=client_upstream, clock=timezone.now) == 7
    assert sizes == [3, 3, 1]
    assert set(Order.objects.values_list("status", flat=True)) == {Status.PENDING}


def test_forward_orders_when_some_do_not_wait_sends_the_others(place, client_upstream, service):
    confirm_unit(service)
    held, gone, waiting = place(), place(), place()
    Order.objects.filter(pk=held.pk).update(held_because=HoldReason.SERVICE_PAUSED)
    assert forward_order(gone.pk, client=client_upstream, clock=timezone.now)

    asked = [held.pk, gone.pk, 10**9, waiting.pk]
    assert forward_orders(asked, client=client_upstream, clock=timezone.now) == 1

    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 1)


def test_forward_orders_when_they_were_read_a_while_ago_reads_them_again(place, client_upstream, service, monkeypatch):
    confirm_unit(service)
    monkeypatch.setattr(sweep, "FRESH_SECONDS", 0.0)
    order, read = place(), sweep._read_together

    def then_the_service_is_paused(*asked):
        reads = read(*asked)
        type(service).objects.filter(pk=service.pk).update(paused_because="under review")
        return reads

    monkeypatch.setattr(sweep, "_read_together", then_the_service_is_paused)

    assert forward_orders([order.pk], client=client_upstream, clock=timezone.now) == 0
    order.refresh_from_db()
    assert (order.status, order.held_because) == (Status.PAID, HoldReason.SERVICE_PAUSED)


def test_forward_orders_while_forwarding_is_paused_reads_none(place, client_upstream, service, sandbox):
    confirm_unit(service)
    pause_forwarding(reason=ForwardingPause.Reason.ADMIN, now=timezone.now())

    assert forward_orders([place().pk, place().pk], client=client_upstream, clock=timezone.now) == 0
    assert sandbox.orders == []
