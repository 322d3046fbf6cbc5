"""What staff decides about lost answers: upstream is asked before an id is trusted, a wrong word leaves a trace."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Notice
from orders.accounting.audit import audit
from orders.attempts.answers import settle_attempt
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.fulfilment.poll import poll_due
from orders.lifecycle.service_requests import cancel_unsent
from orders.lifecycle.transitions import WrongStatus
from orders.models import LostAttempt, Order, OrderEvent, Status
from orders.reconciliation.confirm import NotConfirmed
from orders.reconciliation.reconcile import close_window, reconcile_orders
from orders.reconciliation.resolve import (
    book_loss,
    close_question,
    resolve_as_not_placed,
    resolve_as_placed,
    resolve_by_refund,
)
from tests.clock import stopped_at
from tests.orders.attention import Flag, attempt_of, flags_of, make_lost, said_of
from tests.upstream.raw_server import RawServer, answer, client_of
from upstream.client import Client

Code = OrderEvent.Code
Doubt = LostAttempt.Doubt
State = LostAttempt.State
pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = "http://127.0.0.1:9/api/v2"
SETTLED = timedelta(minutes=11)


@pytest.fixture
def send(place, client_upstream, sandbox):
    """Place and forward an order `minutes` from now, after whatever `fault` does to its answer."""

    def send_one(*, minutes: float = 0, fault: str = "", **asked: Any) -> Order:
        if fault:
            sandbox.fail_next(fault, action="add")
        at = timezone.now() + timedelta(minutes=minutes)
        order = place(**asked)
        assert forward_order(order.pk, client=client_upstream, clock=stopped_at(at))
        return fresh(order)

    return send_one


@pytest.fixture
def lost(send) -> Order:
    """An order that upstream has, and whose answer was lost; an order before it gives its window a beginning."""
    send(quantity=100)
    order = send(fault="lose_reply")
    assert order.status == Status.UNKNOWN
    return order


@pytest.fixture
def real_id(lost, sandbox) -> str:
    return str(sandbox.orders[-1]["id"])


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


# --- It was not placed, says staff, and is wrong ----------------------------------------------------------------------
def test_a_late_answer_to_an_attempt_that_was_called_not_placed_is_taken_while_the_order_waits(
    paid_order, client_upstream, sandbox, sam
):
    engine.ensure_opening_balance(client=client_upstream)
    claim = engine._claim(paid_order, now=timezone.now(), last_id="")
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
    claim = engine._claim(paid_order, now=timezone.now(), last_id="")
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
    first = engine._claim(paid_order, now=timezone.now(), last_id="")
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_as_not_placed(paid_order.pk, actor=sam, now=timezone.now())
    again = engine._claim(fresh(paid_order), now=timezone.now(), last_id="")
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
