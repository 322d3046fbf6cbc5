"""Every attempt whose answer is not known is a row, which says in the end what became of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit.upstream import charges_beside
from orders.attempts.answers import settle_attempt
from orders.fulfilment import forward as engine
from orders.fulfilment.apply_mappings import list_refusal
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.models import KnownRefusal, LostAttempt, Order, Status
from orders.reconciliation.close_window import close_window
from orders.reconciliation.doubts import keep_doubt
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.resolve import (
    book_loss,
    close_question,
    resolve_as_not_placed,
    resolve_as_placed,
    resolve_by_refund,
)
from orders.reconciliation.restore import declare_restored
from tests.clock import stopped_at
from tests.orders.attention import Flag, attempt_of, flags_of, make_lost
from upstream.errors import NotPlaced

pytestmark = pytest.mark.django_db(transaction=True)
State, Cause = LostAttempt.State, LostAttempt.Cause
MINUTES = timedelta(minutes=1)


@pytest.fixture
def send(place: Callable[..., Order], client_upstream: Any, sandbox: Any) -> Callable[..., Order]:
    """Place and forward an order, `minutes` from now; `fault` is what happens to its answer."""

    def send_one(*, minutes: float = 0, fault: str = "") -> Order:
        at = timezone.now() + timedelta(minutes=minutes)
        order = place()
        if fault:
            sandbox.fail_next(fault, action="add")
        assert forward_order(order.pk, client=client_upstream, clock=stopped_at(at))
        order.refresh_from_db()
        return order

    return send_one


@pytest.fixture
def lost(send: Callable[..., Order]) -> Order:
    """An order that upstream has, and whose answer was lost; an order before it gives its window a beginning."""
    send()
    return send(fault="lose_reply")


@pytest.fixture
def absent(send: Callable[..., Order]) -> Order:
    """An order that upstream does not have, and whose answer was lost."""
    send()
    return send(fault="lose_request")


def ending(order: Order) -> tuple[str, str, list[str]]:
    """Return what became of the order's only lost attempt, under which id, and what is still flagged."""
    attempt = LostAttempt.objects.get(order=order)
    assert (attempt.settled_at is None) == (attempt.state in LostAttempt.UNSETTLED)
    return attempt.state, attempt.upstream_id, flags_of(order)


def test_a_lost_answer_is_a_row_with_what_was_known_before(lost: Order) -> None:
    attempt = attempt_of(lost)

    assert (attempt.number, attempt.sent_at, attempt.kind) == (lost.attempts, lost.sent_at, lost.kind)
    assert attempt.id_before == lost.last_upstream_id_before != ""
    assert (attempt.cause, ending(lost)) == (Cause.NO_ANSWER, (State.LOST, "", [Flag.PERHAPS_PLACED]))


def test_the_attempt_of_a_worker_that_died_is_lost(place: Callable[..., Order]) -> None:
    order = place()
    engine.claim_order(order, cost_micros=order.cost_upstream_micros, now=timezone.now(), last_id="")

    release_stale_claims(now=timezone.now() + timedelta(hours=1))

    assert (attempt_of(order).cause, ending(order)[0]) == (Cause.SILENT_WORKER, State.LOST)


def test_an_order_that_may_have_been_sent_before_a_restore_is_a_lost_attempt(place: Callable[..., Order]) -> None:
    order = place()

    declare_restored(known_until=None, now=timezone.now())

    assert (attempt_of(order).cause, ending(order)) == (Cause.RESTORED, (State.LOST, "", [Flag.PERHAPS_PLACED]))


def test_staff_calling_it_not_placed_abandons_the_attempt(lost: Order, sam: User) -> None:
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())

    assert ending(lost) == (State.ABANDONED, "", [])
    assert lost.flags.get().cleared_by == sam


def test_staff_refunding_it_leaves_the_question_open(lost: Order, sam: User) -> None:
    resolve_by_refund(lost.pk, actor=sam, now=timezone.now())

    assert ending(lost) == (State.REFUNDED, "", [])


def test_staff_naming_its_id_makes_the_attempt_the_orders_own(
    lost: Order, sam: User, sandbox: Any, client_upstream: Any
) -> None:
    real = str(sandbox.orders[-1]["id"])

    resolve_as_placed(lost.pk, upstream_id=real, actor=sam, client=client_upstream, now=timezone.now())

    assert ending(lost) == (State.ADOPTED, real, [])


def test_what_reconciliation_finds_is_adopted(
    lost: Order, send: Callable[..., Order], sandbox: Any, client_upstream: Any
) -> None:
    real = str(sandbox.orders[-1]["id"])
    send(minutes=11)

    reconcile_orders(client=client_upstream, now=timezone.now())

    assert ending(lost) == (State.ADOPTED, real, [])


def test_what_reconciliation_proves_absent_is_sent_again_as_another_attempt(
    absent: Order, send: Callable[..., Order], client_upstream: Any, sandbox: Any
) -> None:
    send(minutes=11)
    reconcile_orders(client=client_upstream, now=timezone.now())
    assert ending(absent) == (State.ABSENT, "", [])

    sandbox.fail_next("lose_reply", action="add")
    forward_order(absent.pk, client=client_upstream, clock=timezone.now)

    assert [one.state for one in absent.lost_attempts.order_by("number")] == [State.ABSENT, State.LOST]
    assert [one.number for one in absent.lost_attempts.order_by("number")] == [1, 2]


def test_a_refunded_attempt_that_staff_finds_upstream_is_the_shops_loss(
    lost: Order, sam: User, sandbox: Any, client_upstream: Any
) -> None:
    real = str(sandbox.orders[-1]["id"])
    resolve_by_refund(lost.pk, actor=sam, now=timezone.now())

    book_loss(lost.pk, upstream_id=real, note="seen", actor=sam, client=client_upstream, now=timezone.now())

    assert ending(lost) == (State.LOSS, real, [])
    assert attempt_of(lost).charge_upstream_micros == 1_500_000


def test_a_refunded_attempt_that_upstream_does_not_have_is_absent(absent: Order, sam: User) -> None:
    resolve_by_refund(absent.pk, actor=sam, now=timezone.now())

    close_question(absent.pk, note="not in their list", actor=sam, now=timezone.now())

    assert ending(absent) == (State.ABSENT, "", [])


@pytest.mark.parametrize(("meaning", "status"), [("order", Status.FAILED), ("balance", Status.PAID)])
def test_an_attempt_that_ended_with_a_text_is_absent_once_the_text_is_listed(
    place: Callable[..., Order], client_upstream: Any, sandbox: Any, sam: User, meaning: str, status: str
) -> None:
    orders = [place(), place()]
    for order, text in zip(orders, ("Drip feed is off", "Drip feed is off today"), strict=True):
        sandbox.fail_next("refuse", action="add", text=text)
        forward_order(order.pk, client=client_upstream, clock=timezone.now)

    assert list_refusal("Drip feed is off", meaning=KnownRefusal.Meaning(meaning), actor=sam, now=timezone.now()) == 1

    assert [ending(order)[0] for order in orders] == [State.ABSENT, State.LOST]
    assert Order.objects.get(pk=orders[0].pk).status == status


def test_a_late_answer_makes_the_attempt_the_orders_own_while_the_order_waits(
    place: Callable[..., Order], client_upstream: Any, sandbox: Any, sam: User
) -> None:
    engine.ensure_opening_balance(client=client_upstream)
    orders = [place(), place()]
    claims = [
        engine.claim_order(order, cost_micros=order.cost_upstream_micros, now=timezone.now(), last_id="")
        for order in orders
    ]
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_as_not_placed(orders[1].pk, actor=sam, now=timezone.now())

    for claim in claims:
        assert claim is not None
        engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)

    assert [ending(order) for order in orders] == [(State.ADOPTED, str(row["id"]), []) for row in sandbox.orders]


def test_a_late_answer_leaves_the_flag_of_another_attempt_that_may_still_turn_up(
    lost: Order, client_upstream: Any, sandbox: Any, sam: User
) -> None:
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    candidates = {"candidates": [{"id": "23502"}, {"id": "23503"}]}
    keep_doubt(attempt_of(lost), LostAttempt.Doubt.CANDIDATES, "", candidates, now=timezone.now())
    claim = engine.claim_order(
        Order.objects.get(pk=lost.pk), cost_micros=lost.cost_upstream_micros, now=timezone.now(), last_id=""
    )
    assert claim is not None
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    assert flags_of(lost) == [Flag.PERHAPS_TWICE, Flag.PERHAPS_PLACED]

    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)

    lost.refresh_from_db()
    assert (lost.status, lost.upstream_id) == (Status.PENDING, str(sandbox.orders[-1]["id"]))
    assert flags_of(lost) == [Flag.PERHAPS_TWICE]


def test_a_late_refusal_makes_the_attempt_absent(place: Callable[..., Order], client_upstream: Any) -> None:
    order = place()
    claim = engine.claim_order(order, cost_micros=order.cost_upstream_micros, now=timezone.now(), last_id="")
    assert claim is not None
    release_stale_claims(now=timezone.now() + timedelta(hours=1))

    engine._record_not_placed(claim, engine.supply_of(order), str(NotPlaced("not reachable")), now=timezone.now())

    assert ending(order) == (State.ABSENT, "", [])
    assert Order.objects.get(pk=order.pk).status == Status.PAID


def test_a_late_answer_to_a_refunded_order_is_the_shops_loss_under_its_id(
    place: Callable[..., Order], client_upstream: Any, sandbox: Any, sam: User
) -> None:
    engine.ensure_opening_balance(client=client_upstream)
    order = place()
    claim = engine.claim_order(order, cost_micros=order.cost_upstream_micros, now=timezone.now(), last_id="")
    assert claim is not None
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    resolve_by_refund(order.pk, actor=sam, now=timezone.now())

    engine._send(claim, engine.supply_of(claim.order), client_upstream, timezone.now)

    assert ending(order) == (State.LOSS, str(sandbox.orders[0]["id"]), [Flag.LATE_ANSWER])


def test_a_second_id_for_an_attempt_that_has_one_gets_a_row_of_its_own(
    place: Callable[..., Order], client_upstream: Any, sandbox: Any
) -> None:
    order = place()
    claim = engine.claim_order(order, cost_micros=order.cost_upstream_micros, now=timezone.now(), last_id="")
    assert claim is not None
    for upstream_id in ("77", "78"):
        engine._record_placed(claim, engine.supply_of(order), engine.Placed(upstream_id), now=timezone.now())

    assert Order.objects.get(pk=order.pk).upstream_id == "77"
    assert (attempt_of(order).state, attempt_of(order).upstream_id) == (State.LOSS, "78")


def test_closing_the_window_by_hand_is_kept_with_the_attempt(lost: Order, sam: User) -> None:
    later = timezone.now() + 11 * MINUTES

    close_window(lost.pk, last_id=99_999, actor=sam, now=later)

    assert (attempt_of(lost).closed_at, attempt_of(lost).closed_at_id) == (later, 99_999)


def test_settle_attempt_when_it_has_changed_since_it_was_read_changes_nothing(lost: Order, sam: User) -> None:
    attempt = attempt_of(lost)
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())

    assert not settle_attempt(attempt, State.ABSENT, now=timezone.now())

    assert attempt_of(lost).state == State.ABANDONED


def test_the_database_holds_one_lost_attempt_of_an_order(paid_order: Order) -> None:
    attempt = make_lost(paid_order)
    attempt.pk = None

    with pytest.raises(IntegrityError, match=r"an_order_waits_for_one_lost_attempt|UNIQUE"), transaction.atomic():
        attempt.save(force_insert=True)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"state": State.LOSS}, "what_was_placed_has_an_upstream_id"),
        ({"closed_at_id": 9}, "a_window_closed_by_hand_has_an_end"),
    ],
)
def test_the_database_refuses_rows_that_say_half(paid_order: Order, fields: dict[str, Any], name: str) -> None:
    make_lost(paid_order)

    with pytest.raises(IntegrityError, match=f"{name}|CHECK"), transaction.atomic():
        LostAttempt.objects.filter(order=paid_order).update(**fields)


def test_charges_beside_are_those_of_losses_that_their_orders_do_not_follow(
    place: Callable[..., Order], paid_order: Order
) -> None:
    """What an order follows is counted with the order; what it cost the shop beside that, with the attempt."""
    own, beside = paid_order, place()
    for order, upstream_id in ((own, "77"), (beside, "78")):
        Order.objects.filter(pk=order.pk).update(upstream_id=upstream_id)
    for order, charge in ((own, 400_000), (beside, None)):
        attempt = make_lost(order, status=Status.FAILED)
        settle_attempt(attempt, State.LOSS, now=timezone.now(), upstream_id="77", charge_upstream_micros=charge)
    make_lost(place())

    counted = list(charges_beside(LostAttempt.objects.all()))

    assert counted == [(attempt_of(beside), beside.cost_upstream_micros)]
