"""Attempts that staff called not placed, and that upstream has all the same."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Notice
from orders.accounting.audit import audit
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.lifecycle.service_requests import cancel_unsent
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.reconciliation.close_window import close_window
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import (
    book_loss,
    resolve_as_not_placed,
)
from tests.orders.attention import Flag, attempt_of, flags_of, said_of

pytestmark = pytest.mark.django_db(transaction=True)

Code = OrderEvent.Code
Doubt = LostAttempt.Doubt
State = LostAttempt.State
NOBODY = "http://127.0.0.1:9/api/v2"
SETTLED = timedelta(minutes=11)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_a_late_answer_to_an_attempt_that_was_called_not_placed_is_taken_while_the_order_waits(
    paid_order, client_upstream, sandbox, sam
):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_as_not_placed(paid_order.pk, actor=sam, now=timezone.now())

    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)

    assert (fresh(paid_order).status, len(sandbox.orders)) == (Status.PENDING, 1)
    assert not forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_a_late_answer_to_an_attempt_that_was_called_not_placed_is_a_loss_once_it_was_sent_again(
    paid_order, client_upstream, sandbox, sam
):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_as_not_placed(paid_order.pk, actor=sam, now=timezone.now())
    forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    own = fresh(paid_order).upstream_id

    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)

    order, late = fresh(paid_order), str(sandbox.orders[1]["id"])
    assert (order.status, order.upstream_id) == (Status.PENDING, own)
    assert said_of(order) == f"Upstream placed order {late} after this order was settled"
    assert flags_of(order) == [Flag.LATE_ANSWER]
    assert order.events.get(code=Code.LOSS).evidence["upstream_id"] == late
    assert Notice.objects.filter(key=f"loss:{order.pk}:{late}").exists()
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_a_late_answer_while_the_order_is_sent_again_keeps_its_flag(paid_order, client_upstream, sandbox, sam):
    engine.ensure_opening_balance(client=client_upstream)
    first = engine.claim_order(paid_order, cost_micros=paid_order.cost_upstream_micros, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_as_not_placed(paid_order.pk, actor=sam, now=timezone.now())
    again = engine.claim_order(fresh(paid_order), cost_micros=1_500_000, now=timezone.now(), last_id="")
    engine._send(first, engine.supply_of(first.order), client_upstream, timezone.now)

    engine._send(again, engine.supply_of(again.order), client_upstream, timezone.now)

    order, late = fresh(paid_order), str(sandbox.orders[0]["id"])
    assert (order.status, order.upstream_id) == (Status.PENDING, str(sandbox.orders[1]["id"]))
    assert said_of(order) == f"Upstream placed order {late} after this order was settled"
    assert flags_of(order) == [Flag.LATE_ANSWER]
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_reconcile_when_an_attempt_that_was_called_not_placed_turns_up_books_the_loss_and_asks_a_human(
    lost, real_id, send, client_upstream, sandbox, sam
):
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    own = fresh(lost).upstream_id
    assert (
        audit(client=client_upstream, now=timezone.now()).problems == []
    )  # it may have been bought twice, say the books
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    order = fresh(lost)
    assert (order.status, order.upstream_id, attempt_of(order).state) == (Status.PENDING, own, State.LOSS)
    assert flags_of(order) == [Flag.BOUGHT_TWICE]
    assert real_id in said_of(order)
    [loss] = order.events.filter(code=Code.LOSS)
    assert (loss.evidence["upstream_id"], loss.evidence["charge"]) == (real_id, 1_500_000)
    assert Notice.objects.filter(key=f"loss:{order.pk}:{real_id}").exists()
    assert len(sandbox.orders) == 4
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_reconcile_when_an_attempt_that_was_called_not_placed_turns_up_in_time_takes_it_instead_of_buying_twice(
    lost, real_id, send, client_upstream, sandbox, sam
):
    send(minutes=11)
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    order = fresh(lost)
    assert (order.status, order.upstream_id, attempt_of(order).state) == (Status.PENDING, real_id, State.ADOPTED)
    assert not forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    assert len(sandbox.orders) == 3
    assert not order.events.filter(code=Code.LOSS).exists()


def test_reconcile_when_staff_was_right_closes_the_question(send, client_upstream, sandbox, sam):
    send(quantity=100)
    order = send(fault="lose_request")
    resolve_as_not_placed(order.pk, actor=sam, now=timezone.now())
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    order = fresh(order)
    assert (order.status, attempt_of(order).state, flags_of(order)) == (Status.PENDING, State.ABSENT, [])
    assert "proved_absent" in order.events.last().evidence


def test_reconcile_never_takes_what_was_called_not_placed_for_another_lost_order(
    lost, real_id, send, client_upstream, sam
):
    other = send(fault="lose_request")
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert (fresh(other).status, attempt_of(other).evidence["rivals"]) == (Status.UNKNOWN, [lost.pk])
    assert said_of(lost) == f"Perhaps bought twice: upstream has {real_id}"


def test_reconcile_never_takes_a_booked_loss_for_another_lost_order(lost, real_id, send, client_upstream, sam):
    other = send(fault="lose_request")
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    book_loss(
        lost.pk, upstream_id=real_id, note="seen in the list", actor=sam, client=client_upstream, now=timezone.now()
    )
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    assert fresh(other).status == Status.PAID  # proved absent, not adopted


def test_a_window_that_staff_closed_says_nothing_about_the_attempt_after_it(lost, send, client_upstream, sandbox, sam):
    later = timezone.now() + SETTLED
    close_window(lost.pk, last_id=int(fresh(lost).last_upstream_id_before), actor=sam, now=later)
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    sandbox.fail_next("lose_reply", action="add")
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    assert fresh(lost).status == Status.UNKNOWN

    reconcile_orders(client=client_upstream, now=timezone.now())

    assert fresh(lost).status == Status.UNKNOWN  # the old window would have proved it absent, and it would go out again
    assert attempt_of(lost).doubt == Doubt.OPEN


def test_reconcile_of_a_window_that_ends_before_it_begins_proves_nothing(lost, send, client_upstream):
    closer = send(minutes=11)
    LostAttempt.objects.filter(order=lost).update(id_before=str(int(closer.upstream_id) + 5))

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert attempt_of(lost).doubt_text == "the window ends before it begins"


def test_what_was_called_not_placed_is_looked_for_though_its_order_was_canceled(
    lost, real_id, send, client_upstream, sam, ann
):
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    cancel_unsent(lost.pk, user=ann, now=timezone.now())
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    assert fresh(lost).status == Status.CANCELED
    assert fresh(lost).events.get(code=Code.LOSS).evidence["upstream_id"] == real_id
    assert audit(client=client_upstream, now=timezone.now()).problems == []
