"""Lost answers: adopted or sent again with proof, left to a human without."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.models import LostAttempt, Order, OrderEvent, Status, UpstreamBalance
from orders.reconciliation.close_window import close_window
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import close_question, resolve_as_not_placed, resolve_by_refund
from tests.orders.attention import Flag, attempt_of, flags_of, make_lost

pytestmark = pytest.mark.sqlite

Code = OrderEvent.Code
Doubt = LostAttempt.Doubt
State = LostAttempt.State


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_a_lost_order_that_was_placed_is_adopted_once_the_window_is_closed(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=True)
    send(minutes=1)
    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    closer = send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    lost_id = sandbox.orders[1]["id"]
    order = fresh(lost)
    assert (order.status, order.upstream_id, flags_of(order)) == (Status.PENDING, str(lost_id), [])
    assert (attempt_of(order).state, attempt_of(order).upstream_id) == (State.ADOPTED, str(lost_id))
    assert attempt_of(order).evidence["window"]["closed_by"] == closer.pk
    assert order.events.last().code == Code.ACCEPTED
    assert len(sandbox.orders) == 4


def test_a_lost_order_that_was_not_placed_is_sent_again_once_that_is_proved(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=False)
    send(minutes=1)
    send(minutes=11)
    assert len(sandbox.orders) == 3

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
    assert forward_order(lost.pk, client=client_upstream, clock=timezone.now)

    assert fresh(lost).status == Status.PENDING
    assert attempt_of(lost).state == State.ABSENT
    assert len(sandbox.orders) == 4


def test_an_order_whose_window_is_open_waits_and_says_so(send, lose, client_upstream):
    send()
    lost = lose(placed=True)
    send(minutes=9)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    order = fresh(lost)
    assert order.status == Status.UNKNOWN
    assert attempt_of(order).doubt == Doubt.OPEN
    assert flags_of(order) == [Flag.PERHAPS_PLACED]


def test_an_order_without_an_id_before_it_is_left_to_the_admin(lose, send, client_upstream):
    lost = lose(placed=False)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert "no beginning" in attempt_of(lost).doubt_text


def test_a_window_that_is_too_wide_is_not_scanned(send, lose, client_upstream, sandbox, settings):
    settings.RECONCILE_MAX_WINDOW = 2
    send()
    lost = lose(placed=True)
    for minute in (1, 2, 3):
        send(minutes=minute)
    send(minutes=11)
    asked = sum(request["action"] == "status" for request in sandbox.requests)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert attempt_of(lost).doubt_text == "the window is too wide: 4 ids"
    assert sum(request["action"] == "status" for request in sandbox.requests) == asked


def test_two_lost_orders_and_one_candidate_are_left_to_the_admin(send, lose, client_upstream):
    send()
    first, second = lose(placed=True), lose(placed=False)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    found = attempt_of(first).evidence
    assert (attempt_of(first).doubt_text, found["rivals"]) == ("the candidates leave a doubt", [second.pk])
    assert [candidate["matches"] for candidate in found["candidates"]] == [True]
    assert fresh(second).status == Status.UNKNOWN


def test_a_doubt_is_looked_into_again_only_after_a_while_or_when_a_rival_is_gone(
    send, lose, client_upstream, sandbox, sam
):
    send()
    first, second = lose(placed=True), lose(placed=False)
    send(minutes=11)

    def questions_of(minutes: float) -> int:
        before = len(sandbox.requests)
        reconcile_orders(client=client_upstream, now=timezone.now() + timedelta(minutes=minutes))
        return len(sandbox.requests) - before

    assert [questions_of(minutes) for minutes in (12, 20, 75, 80)] == [1, 0, 1, 0]  # once for both

    resolve_as_not_placed(second.pk, actor=sam, now=timezone.now())
    assert [questions_of(minutes) for minutes in (81, 82)] == [
        1,
        0,
    ]  # its attempt is looked for, and may be the candidate
    assert fresh(first).status == Status.UNKNOWN
    close_question(second.pk, note="The supplier's list has the other link only", actor=sam, now=timezone.now())

    assert questions_of(83) == 1
    assert fresh(first).status == Status.PENDING


def test_two_lost_orders_of_which_none_was_placed_are_both_sent_again(send, lose, client_upstream):
    send()
    first, second = lose(placed=False), lose(placed=False)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 2
    assert {fresh(first).status, fresh(second).status} == {Status.PAID}


def test_a_candidate_that_does_not_fit_is_left_to_the_admin(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=True)
    send(minutes=11)
    sandbox.set_order(sandbox.orders[1]["id"], charge="7.77")

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert attempt_of(lost).evidence["candidates"][0]["matches"] is False


def test_a_candidate_next_to_an_order_that_staff_refunded_is_left_to_the_admin(send, lose, client_upstream, sam):
    send()
    refunded, lost = lose(placed=True), lose(placed=False)
    resolve_by_refund(refunded.pk, actor=sam, now=timezone.now())
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert attempt_of(lost).evidence["rivals"] == [refunded.pk]


def test_a_read_that_fails_proves_nothing(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=False)
    send(minutes=1)
    send(minutes=11)
    LostAttempt.objects.filter(order=lost).update(id_before=str(int(fresh(lost).last_upstream_id_before) - 1))
    Order.objects.filter(pk=Order.objects.order_by("pk").first().pk).update(upstream_id=None)
    sandbox.fail_next("500_before", action="status", times=9)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert attempt_of(lost).doubt == Doubt.SILENCE


def test_an_order_in_flight_whose_id_may_lie_in_the_window_is_waited_for(send, lose, place, client_upstream):
    send()
    lost = lose(placed=True)
    flying = engine.claim_order(
        place(), cost_micros=1_500_000, now=timezone.now(), last_id=fresh(lost).last_upstream_id_before
    )
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert "being sent" in attempt_of(lost).doubt_text
    assert flying is not None


def test_close_window_by_hand_closes_it_where_the_shop_is_quiet(send, lose, client_upstream, sandbox, sam):
    send()
    lost = lose(placed=True)
    newest = int(sandbox.orders[-1]["id"])

    with pytest.raises(ValueError, match="Too early"):
        close_window(lost.pk, last_id=newest, actor=sam, now=timezone.now())
    close_window(lost.pk, last_id=newest, actor=sam, now=timezone.now() + timedelta(minutes=11))
    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    assert fresh(lost).upstream_id == str(newest)


def test_an_order_that_is_lost_while_reconciliation_looks_is_a_rival_too(
    send, lose, placed_and_not_recorded, client_upstream
):
    send()
    lost = lose(placed=False)
    other = placed_and_not_recorded()
    send(minutes=11)
    asked_for_the_lost = given_up = False

    def lose_the_other_meanwhile(execute, sql, params, many, context):
        """Give its answer up right after reconciliation has asked which services are lost."""
        nonlocal asked_for_the_lost, given_up
        if asked_for_the_lost and not given_up:
            given_up = True
            make_lost(other, sent_at=other.sent_at)
        asked_for_the_lost |= {State.LOST, "service"} <= set(params or ())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(lose_the_other_meanwhile):
        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert given_up
    assert [fresh(one).status for one in (lost, other)] == [Status.UNKNOWN, Status.UNKNOWN]


def test_the_evidence_names_upstreams_balance_before_and_after(send, lose, client_upstream):
    send()
    now = timezone.now()
    UpstreamBalance.objects.create(amount_upstream_micros=998_500_000, asked_at=now - timedelta(seconds=5))
    lost = lose(placed=True)
    UpstreamBalance.objects.create(amount_upstream_micros=997_000_000, asked_at=timezone.now() + timedelta(seconds=5))

    reconcile_orders(client=client_upstream, now=timezone.now())

    found = attempt_of(lost).evidence
    assert (found["balance_before_upstream_micros"], found["balance_after_upstream_micros"]) == (
        998_500_000,
        997_000_000,
    )
    assert found["expected_cost_upstream_micros"] == 1_500_000


def test_an_order_of_a_dead_worker_is_reconciled_too(send, place, client_upstream):
    send()
    dead = place()
    engine.claim_order(
        dead,
        cost_micros=dead.cost_upstream_micros,
        now=timezone.now(),
        last_id=str(Order.objects.get(status=Status.PENDING).upstream_id),
    )
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
    assert fresh(dead).status == Status.PAID
