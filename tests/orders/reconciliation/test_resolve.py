"""What staff decides about lost answers: upstream is asked before an id is trusted, a wrong word leaves a trace."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.accounting.audit import audit
from orders.attempts.answers import settle_attempt
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.transitions import WrongStatus
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.reconciliation.confirm import NotConfirmed
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import (
    book_loss,
    close_question,
    resolve_as_not_placed,
    resolve_as_placed,
    resolve_by_refund,
)
from tests.clock import stopped_at
from tests.orders.attention import attempt_of, flags_of, make_lost
from tests.upstream.raw_server import RawServer, answer, client_of
from upstream.client import Client

Code = OrderEvent.Code
Doubt = LostAttempt.Doubt
State = LostAttempt.State
pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = "http://127.0.0.1:9/api/v2"
SETTLED = timedelta(minutes=11)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


# --- It was placed ----------------------------------------------------------------------------------------------------
def test_resolve_as_placed_when_upstream_confirms_the_id_follows_it_and_keeps_what_upstream_said(
    lost, real_id, client_upstream, sam
):
    resolve_as_placed(lost.pk, upstream_id=f" 0{real_id} ", actor=sam, client=client_upstream, now=timezone.now())

    order = fresh(lost)
    assert (order.status, order.upstream_id, flags_of(order)) == (Status.PENDING, real_id, [])
    assert (attempt_of(order).state, attempt_of(order).upstream_id) == (State.ADOPTED, real_id)
    event = order.events.last()
    assert (event.code, event.actor) == (Code.RESOLVED, sam)
    assert event.evidence == {"upstream_id": real_id, "word": "Pending", "charge": 1_500_000, "remains": 1000}


def test_resolve_as_placed_when_upstream_does_not_know_the_id_is_refused_even_by_force(lost, client_upstream, sam):
    for force in (False, True):
        with pytest.raises(NotConfirmed, match="“Order not found” for order 424242"):
            resolve_as_placed(
                lost.pk, upstream_id="424242", actor=sam, client=client_upstream, force=force, now=timezone.now()
            )

    assert (fresh(lost).status, fresh(lost).upstream_id) == (Status.UNKNOWN, None)


def test_resolve_as_placed_when_the_charge_is_another_is_refused_until_it_is_forced(
    lost, real_id, client_upstream, sandbox, sam
):
    sandbox.set_order(real_id, charge="1.40")
    with pytest.raises(NotConfirmed, match=r"was charged 1\.40 USD, but 1\.50 was expected"):
        resolve_as_placed(lost.pk, upstream_id=real_id, actor=sam, client=client_upstream, now=timezone.now())
    assert fresh(lost).status == Status.UNKNOWN

    resolve_as_placed(lost.pk, upstream_id=real_id, actor=sam, client=client_upstream, force=True, now=timezone.now())

    assert fresh(lost).events.last().evidence["forced"] == "the charge is not the expected one"


@pytest.mark.parametrize(("status", "charge"), [("Partial", "0.75"), ("Canceled", "0.00"), ("Pending", "0.00")])
def test_resolve_as_placed_when_less_was_charged_for_less_is_no_contradiction(
    lost, real_id, client_upstream, sandbox, sam, status, charge
):
    sandbox.set_order(real_id, status=status, charge=charge)

    resolve_as_placed(lost.pk, upstream_id=real_id, actor=sam, client=client_upstream, now=timezone.now())

    assert fresh(lost).status == Status.PENDING


def test_resolve_as_placed_when_more_pieces_remain_than_were_ordered_is_refused_even_by_force(
    lost, real_id, client_upstream, sandbox, sam
):
    sandbox.set_order(real_id, remains=1001)

    with pytest.raises(NotConfirmed, match="1001 remain, but only 1000 were ordered"):
        resolve_as_placed(
            lost.pk, upstream_id=real_id, actor=sam, client=client_upstream, force=True, now=timezone.now()
        )

    assert fresh(lost).status == Status.UNKNOWN


def test_resolve_as_placed_with_an_id_of_another_order_is_refused_unasked(lost, client_upstream, sandbox, sam):
    other = Order.objects.exclude(pk=lost.pk).get()
    asked = len(sandbox.requests)

    with pytest.raises(NotConfirmed, match=f"is already linked to our order #{other.pk}"):
        resolve_as_placed(
            lost.pk,
            upstream_id=f"00{other.upstream_id}",
            actor=sam,
            client=client_upstream,
            force=True,
            now=timezone.now(),
        )

    assert fresh(lost).status == Status.UNKNOWN
    assert len(sandbox.requests) == asked


def test_resolve_as_placed_with_an_id_that_was_booked_as_anothers_loss_is_refused(lost, real_id, client_upstream, sam):
    other = Order.objects.exclude(pk=lost.pk).get()
    attempt = make_lost(other, status=other.status)
    settle_attempt(attempt, State.LOSS, now=timezone.now(), upstream_id=real_id)

    with pytest.raises(NotConfirmed, match=f"booked as a loss on our order #{other.pk}"):
        resolve_as_placed(lost.pk, upstream_id=real_id, actor=sam, client=client_upstream, now=timezone.now())


@pytest.mark.parametrize("client", [None, Client(NOBODY, "key", 2)], ids=["not configured", "nobody there"])
def test_resolve_as_placed_when_upstream_cannot_be_asked_says_so_and_can_be_forced(lost, real_id, sam, client):
    with pytest.raises(NotConfirmed, match=f"couldn't ask upstream about order {real_id}"):
        resolve_as_placed(lost.pk, upstream_id=real_id, actor=sam, client=client, now=timezone.now())
    assert fresh(lost).status == Status.UNKNOWN

    resolve_as_placed(lost.pk, upstream_id=real_id, actor=sam, client=client, force=True, now=timezone.now())

    assert (fresh(lost).status, fresh(lost).upstream_id) == (Status.PENDING, real_id)
    assert fresh(lost).events.last().evidence.keys() == {"upstream_id", "forced"}


def test_resolve_as_placed_when_the_order_is_settled_does_not_ask(lost, real_id, client_upstream, sandbox, sam):
    resolve_by_refund(lost.pk, actor=sam, now=timezone.now())
    asked = len(sandbox.requests)

    with pytest.raises(WrongStatus):
        resolve_as_placed(lost.pk, upstream_id=real_id, actor=sam, client=client_upstream, now=timezone.now())

    assert len(sandbox.requests) == asked


# --- What stays open in the books -------------------------------------------------------------------------------------
def test_book_loss_of_an_order_that_staff_refunded_keeps_the_id_until_its_charge_is_final(
    lost, real_id, client_upstream, sandbox, sam
):
    resolve_by_refund(lost.pk, actor=sam, now=timezone.now())
    sandbox.set_order(real_id, charge="0.00")  # some charge only when the work begins

    book_loss(
        lost.pk,
        upstream_id=real_id,
        note="their support says so",
        actor=sam,
        client=client_upstream,
        now=timezone.now(),
    )

    order = fresh(lost)
    loss = order.events.get(code=Code.LOSS)
    assert (order.status, order.upstream_id, order.charge_upstream_micros) == (Status.FAILED, real_id, 0)
    assert (loss.actor, loss.evidence["note"], loss.evidence["charge"]) == (sam, "their support says so", 0)
    sandbox.set_order(real_id, status="Completed", charge="1.50")
    assert poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=1))) == 2
    order = fresh(lost)
    assert (order.status, order.charge_upstream_micros, order.next_poll_at) == (Status.FAILED, 1_500_000, None)
    assert (order.refunded_micros, flags_of(order)) == (order.price_micros, [])
    assert (attempt_of(order).state, attempt_of(order).upstream_id) == (State.LOSS, real_id)
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_close_question_of_an_order_that_staff_refunded_leaves_nothing_open(send, client_upstream, sandbox, sam):
    send(quantity=100)
    order = send(fault="lose_request")
    resolve_by_refund(order.pk, actor=sam, now=timezone.now())

    close_question(order.pk, note="not in their list", actor=sam, now=timezone.now())

    event = fresh(order).events.last()
    assert (event.code, event.actor, event.evidence["not_bought"]) == (Code.ATTENTION, sam, "not in their list")
    assert attempt_of(order).state == State.ABSENT
    sandbox.set_balance("998.35")  # as if it had been bought all the same: now the books do not allow for that
    assert len(audit(client=client_upstream, now=timezone.now()).problems) == 1
    with pytest.raises(WrongStatus):
        close_question(order.pk, note="again", actor=sam, now=timezone.now())


@pytest.mark.parametrize("decide", [book_loss, close_question])
def test_a_question_of_the_books_is_not_decided_without_a_note_nor_where_there_is_none(
    lost, sent_order, client_upstream, sam, decide
):
    resolve_by_refund(lost.pk, actor=sam, now=timezone.now())
    asked = {"upstream_id": "1", "client": client_upstream} if decide is book_loss else {}

    with pytest.raises(ValueError, match="Explain how you know"):
        decide(lost.pk, note=" ", actor=sam, now=timezone.now(), **asked)
    with pytest.raises(WrongStatus):
        decide(sent_order.pk, note="why", actor=sam, now=timezone.now(), **asked)

    assert attempt_of(lost).state == State.REFUNDED


def test_book_loss_of_an_attempt_that_was_called_not_placed_closes_that_one(lost, real_id, client_upstream, sam):
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    assert [attempt.state for attempt in lost.lost_attempts.all()] == [State.ABANDONED]
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    own = fresh(lost).upstream_id
    with pytest.raises(NotConfirmed, match="already"):
        book_loss(lost.pk, upstream_id=own, note="a slip", actor=sam, client=client_upstream, now=timezone.now())

    book_loss(
        lost.pk,
        upstream_id=real_id,
        note="both are in their list",
        actor=sam,
        client=client_upstream,
        now=timezone.now(),
    )

    order = fresh(lost)
    assert (order.status, order.upstream_id, attempt_of(order).state) == (Status.PENDING, own, State.LOSS)
    assert order.events.get(code=Code.LOSS).evidence["note"] == "both are in their list"
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=1)))
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_reconcile_when_upstream_cannot_say_what_became_of_an_abandoned_attempt_looks_again_later(
    lost, real_id, send, client_upstream, sam
):
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    send(minutes=11)
    with RawServer(lambda sock, _: sock.sendall(answer('{"error": "Come back later"}'))) as server:
        assert reconcile_orders(client=client_of(server), now=timezone.now()) == 0
    assert attempt_of(lost).state == State.ABANDONED

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
