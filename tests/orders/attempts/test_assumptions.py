"""What is taken for granted of upstream's ids: seen to be otherwise, it switches reconciliation off."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.attempts.assumptions import probe_foreign_ids
from orders.fulfilment.forward import forward_order
from orders.models import LostAttempt, Order, OrderEvent, Status, UpstreamAssumption
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import resolve_as_not_placed
from tests.orders.attention import attempt_of

pytestmark = pytest.mark.sqlite

Code = OrderEvent.Code
State = LostAttempt.State


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_ids_that_do_not_ascend_switch_reconciliation_off(send, lose, client_upstream):
    send()
    lost = lose(placed=True)
    before = fresh(lost).last_upstream_id_before
    Order.objects.filter(upstream_id=before).update(upstream_id=str(int(before) + 1000))

    closer = send(minutes=11)

    broken = UpstreamAssumption.objects.get(name="ids_ascend")
    assert (broken.kind, broken.evidence["order"]) == ("service", closer.pk)
    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert attempt_of(lost).doubt_text == "an assumption about upstream's ids has failed"


def test_more_candidates_than_lost_orders_switch_reconciliation_off(send, lose, client_upstream):
    stranger = send()
    before = send()
    lost = lose(placed=True)
    send(minutes=11)
    # An order upstream that answers to our key and that we cannot have lost.
    LostAttempt.objects.filter(order=lost).update(id_before=str(int(stranger.upstream_id) - 1))
    Order.objects.filter(pk=stranger.pk).update(upstream_id=None, status=Status.COMPLETED)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert UpstreamAssumption.objects.get().name == "foreign"
    assert fresh(before).status == Status.PENDING


def test_strangers_that_answer_settle_nothing_in_the_same_round_either(send, lose, client_upstream):
    """One window has more orders than were lost; another one, elsewhere, would have proved its attempt absent."""
    stranger = send()
    first = lose(placed=True)
    send(minutes=11)
    LostAttempt.objects.filter(order=first).update(id_before=str(int(stranger.upstream_id) - 1))
    Order.objects.filter(pk=stranger.pk).update(upstream_id=None, status=Status.COMPLETED)
    second = lose(placed=False, minutes=22)
    send(minutes=33)

    assert reconcile_orders(client=client_upstream, now=timezone.now() + timedelta(minutes=34)) == 0

    assert [fresh(one).status for one in (first, second)] == [Status.UNKNOWN, Status.UNKNOWN]
    assert attempt_of(second).doubt == LostAttempt.Doubt.DISTRUST


def test_probing_a_foreign_id_that_answers_switches_reconciliation_off(send, client_upstream):
    orders = [send() for _each in range(3)]
    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0  # no gap between our ids
    Order.objects.filter(pk=orders[1].pk).update(upstream_id=None, status=Status.COMPLETED)

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 1

    assert UpstreamAssumption.objects.get().evidence["id"] == int(orders[1].upstream_id)
    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0


def test_probing_leaves_ids_alone_that_a_lost_order_may_have(send, lose, client_upstream):
    send()
    lose(placed=True)
    send(minutes=11)

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0


def test_probing_leaves_the_id_alone_that_an_order_being_sent_has_just_got(
    send, placed_and_not_recorded, client_upstream
):
    send()
    placed_and_not_recorded()
    send()

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0

    assert not UpstreamAssumption.objects.exists()


def test_probing_leaves_the_id_alone_that_was_booked_as_a_loss(send, lose, client_upstream, sandbox, sam):
    send()
    lost = lose(placed=True)
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    assert forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    evidence = {"upstream_id": str(sandbox.orders[1]["id"])}
    OrderEvent.objects.create(order=lost, code=Code.LOSS, status=Status.PENDING, evidence=evidence)
    LostAttempt.objects.filter(order=lost).update(state=State.LOSS, **evidence)
    send()

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0

    assert not UpstreamAssumption.objects.exists()
