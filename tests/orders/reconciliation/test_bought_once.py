"""Nothing is bought twice: not after a restore, not by an id that says nothing about time, not by another kind's id."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Service, SyncRun
from orders.attempts.windows import newest_upstream_id, window_of
from orders.fulfilment.forward import forward_order
from orders.fulfilment.margin import review_held_orders
from orders.fulfilment.pauses import end_pause
from orders.models import ForwardingPause, LostAttempt, Order, Status
from orders.reconciliation.close_window import close_window
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_as_placed
from orders.reconciliation.restore import declare_restored
from tests.clock import stopped_at
from tests.orders.attention import attempt_of

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
State = LostAttempt.State
LINK = "https://instagram.com/watched"


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def in_minutes(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def forward(order: Order, client: Any, minutes: float = 0) -> bool:
    return forward_order(order.pk, client=client, clock=stopped_at(in_minutes(minutes)))


def copies(sandbox: Any, link: str = LINK) -> list[int]:
    return [one["id"] for one in sandbox.orders if one.get("link") == link]


# --- After a restore ------------------------------------------------------------------------------------------------
def test_restore_when_a_held_order_was_sent_after_the_backup_then_it_is_not_sent_again(
    send, place, client_upstream, sandbox, service
):
    send(quantity=100)
    held = place(link=LINK)
    sandbox.fail_next("429", action="add")
    forward(held, client_upstream)  # not placed: it waits in the queue, and has been sent once
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=9_000_000)
    forward(held, client_upstream, 1)
    assert fresh(held).held_because
    send(minutes=11, quantity=100)  # the shop goes on selling
    backup = Order.objects.filter(pk=held.pk).values().get()
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=1_500_000)
    review_held_orders(now=timezone.now())
    assert forward(held, client_upstream, 12)
    assert len(copies(sandbox)) == 1

    Order.objects.filter(pk=held.pk).update(**{name: value for name, value in backup.items() if name != "id"})
    declare_restored(known_until=None, now=in_minutes(13))
    reconcile_orders(client=client_upstream, now=in_minutes(14))
    end_pause(ForwardingPause.objects.get(ended_at=None).pk, now=in_minutes(14))
    review_held_orders(now=in_minutes(14))
    forward(held, client_upstream, 15)

    assert len(copies(sandbox)) == 1


def test_restore_opens_the_windows_again_and_keeps_the_older_id_before(send, client_upstream, sandbox, sam):
    send(quantity=100)
    lost = send(fault="lose_request")
    before = attempt_of(lost).id_before
    close_window(lost.pk, last_id=int(before) + 5, actor=sam, now=in_minutes(11))
    send(minutes=11, quantity=100)
    restored_at = in_minutes(20)

    declare_restored(known_until=None, now=restored_at)

    attempt = attempt_of(lost)
    assert (attempt.sent_at, attempt.id_before, attempt.closed_at_id) == (restored_at, before, None)
    assert (fresh(lost).sent_at, window_of(attempt).last) == (restored_at, None)
    assert reconcile_orders(client=client_upstream, now=in_minutes(21)) == 0


def test_restore_when_ids_answer_that_the_backup_does_not_know_then_none_is_adopted_and_nothing_is_sent_again(
    send, place, client_upstream, sandbox
):
    send(quantity=100)
    unsent = place(link=LINK)
    forgotten = send()
    Order.objects.filter(pk=forgotten.pk).update(upstream_id=None, answered_at=None, status=Status.CANCELED)
    declare_restored(known_until=None, now=in_minutes(1))
    end_pause(ForwardingPause.objects.get(ended_at=None).pk, now=in_minutes(1))
    send(minutes=13, quantity=100)

    assert reconcile_orders(client=client_upstream, now=in_minutes(14)) == 0

    assert (fresh(unsent).status, attempt_of(unsent).doubt) == (Status.UNKNOWN, LostAttempt.Doubt.FORGOTTEN)


def test_restore_when_a_window_that_reaches_back_is_closed_and_nothing_answers_then_it_was_not_placed(
    send, place, client_upstream, sandbox
):
    send(quantity=100)
    unsent = place(link=LINK)
    declare_restored(known_until=None, now=in_minutes(1))
    end_pause(ForwardingPause.objects.get(ended_at=None).pk, now=in_minutes(1))
    send(minutes=13, quantity=100)

    assert reconcile_orders(client=client_upstream, now=in_minutes(14)) == 1
    assert (fresh(unsent).status, attempt_of(unsent).state) == (Status.PAID, State.ABSENT)


# --- What begins and ends a window ----------------------------------------------------------------------------------
def test_window_when_staff_gave_the_id_of_the_other_of_two_lost_orders_then_it_is_not_closed(
    send, client_upstream, sandbox, sam
):
    send(quantity=100)
    one = send(fault="lose_reply", link=LINK)
    two = send(fault="lose_reply", minutes=11, link="https://instagram.com/two")
    id_of_one = copies(sandbox)[0]

    resolve_as_placed(two.pk, upstream_id=str(id_of_one), actor=sam, client=client_upstream, now=timezone.now())
    reconcile_orders(client=client_upstream, now=in_minutes(13))
    forward(one, client_upstream, 14)

    assert len(copies(sandbox)) == 1


def test_window_when_staff_found_the_id_of_an_earlier_attempt_then_it_is_not_closed(
    send, client_upstream, sandbox, sam
):
    send(quantity=100)
    first = send(fault="lose_reply", link="https://instagram.com/first")
    other = send(fault="lose_reply", minutes=1, link=LINK)
    resolve_as_not_placed(first.pk, actor=sam, now=timezone.now())
    sandbox.fail_next("lose_request", action="add")
    forward(first, client_upstream, 12)
    assert fresh(first).status == Status.UNKNOWN
    found = str(sandbox.orders[1]["id"])
    resolve_as_placed(first.pk, upstream_id=found, actor=sam, client=client_upstream, now=timezone.now())

    reconcile_orders(client=client_upstream, now=in_minutes(13))
    forward(other, client_upstream, 14)

    assert len(copies(sandbox)) == 1


def test_found_id_when_the_last_attempt_cannot_have_it_is_kept_with_the_attempt_it_answers(
    send, client_upstream, sandbox, sam
):
    send(quantity=100)
    order = send(fault="lose_reply", link=LINK)
    send(quantity=100, minutes=1)
    resolve_as_not_placed(order.pk, actor=sam, now=timezone.now())
    sandbox.fail_next("lose_request", action="add")
    forward(order, client_upstream, 2)

    found = str(copies(sandbox)[0])
    resolve_as_placed(order.pk, upstream_id=found, actor=sam, client=client_upstream, now=timezone.now())

    attempts = order.lost_attempts.order_by("number")
    assert [(one.state, one.upstream_id) for one in attempts] == [(State.ADOPTED, found), (State.ABANDONED, "")]


def test_window_when_it_is_closed_while_upstream_is_asked_then_ids_that_were_not_asked_prove_nothing(
    send, client_upstream, sandbox, buy, settings
):
    """A quiet shop looks a few ids ahead; a later order closes the window beyond them at that very moment."""
    settings.RECONCILE_LOOK_AHEAD = 2
    send(quantity=100)
    for number in buy(quantity=4):  # these take the next ids
        forward(number, client_upstream)
    lost = send(fault="lose_reply", link=LINK)
    closed = False

    def close_meanwhile(execute, sql, params, many, context):
        """Send a later order as soon as upstream was asked about the first id ahead."""
        nonlocal closed
        if not closed and sandbox.requests[-1]["action"] == "status":
            closed = True
            send(minutes=11, quantity=100)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(close_meanwhile):
        reconcile_orders(client=client_upstream, now=in_minutes(12))

    assert closed
    assert (fresh(lost).status, attempt_of(lost).state) == (Status.UNKNOWN, State.LOST)
    reconcile_orders(client=client_upstream, now=in_minutes(13))
    assert fresh(lost).upstream_id == str(copies(sandbox)[0])


def test_newest_id_when_it_was_given_by_staff_begins_no_window(send, client_upstream, sandbox, sam):
    answered = send(quantity=100)
    lost = send(fault="lose_reply")
    found = str(sandbox.orders[-1]["id"])

    resolve_as_placed(lost.pk, upstream_id=found, actor=sam, client=client_upstream, now=timezone.now())

    assert newest_upstream_id("service") == answered.upstream_id


# --- Ids of the other kind ------------------------------------------------------------------------------------------
def synced(minutes: float) -> None:
    at = in_minutes(minutes)
    SyncRun.objects.create(kind=SyncRun.Kind.CATALOG, status=SyncRun.Status.UNCHANGED, started_at=at, finished_at=at)


@pytest.fixture
def lost_beside_a_number(send, client_upstream, sandbox, service, buy):
    """A service order that was lost and not placed, and a number of the same price, whose answer has the `fault`."""

    def lose(fault: str = "") -> tuple[Order, Order]:
        synced(-5)
        Service.objects.filter(pk=service.pk).update(rate_upstream_micros=500_000)
        sandbox.set_service(service.upstream_id, rate="0.50")
        send(quantity=100)
        lost = send(fault="lose_request", link=LINK)
        [number] = buy()
        if fault:
            sandbox.fail_next(fault, action="add_sms")
        forward(number, client_upstream)
        send(minutes=11, quantity=100)
        synced(12)
        return lost, number

    return lose


def test_lost_order_that_was_not_placed_is_not_taken_for_a_number_of_ours(lost_beside_a_number, client_upstream):
    lost, number = lost_beside_a_number()

    reconcile_orders(client=client_upstream, now=in_minutes(13))

    assert fresh(number).upstream_id is not None
    assert (fresh(lost).upstream_id, attempt_of(lost).state) == (None, State.ABSENT)


def test_lost_order_that_was_not_placed_is_not_taken_for_a_lost_number(lost_beside_a_number, client_upstream):
    lost, _number = lost_beside_a_number("lose_reply")

    reconcile_orders(client=client_upstream, now=in_minutes(13))

    assert (fresh(lost).upstream_id, attempt_of(lost).state) == (None, State.ABSENT)
