"""A move in one statement leaves what the same move step by step leaves, and what is told of it."""

from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.lifecycle.listeners import when_orders_change
from orders.lifecycle.quick_moves import QuickMove
from orders.models import Order, OrderEvent, Status

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite goes step by step"),
]
Code = OrderEvent.Code
DIFFERS = ("id", "checkout", "claim_token", "claim_deadline", "sent_at", "upstream_id", "last_upstream_id_before")
TIMES = ("answered_at", "next_poll_at", "created_at")


def row(order: Order) -> dict[str, Any]:
    """What is written of an order, but for what no two orders share; of times, whether there is one."""
    values = {**model_to_dict(order), "answered_at": order.answered_at, "next_poll_at": order.next_poll_at}
    return {
        name: value is not None if name in TIMES else value for name, value in values.items() if name not in DIFFERS
    }


def events(order: Order) -> list[tuple[Any, ...]]:
    return [(one.code, one.status, one.data, sorted(one.evidence), one.actor_id) for one in order.events.order_by("id")]


def test_placed_order_when_it_moves_in_one_statement_is_written_as_step_by_step(place, client_upstream):
    heard: list[tuple[list[int], str]] = []
    stop = when_orders_change(lambda order_ids, code, *, now: heard.append((list(order_ids), code)))
    once, steps = place(), place(link="https://instagram.com/bob")
    heard.clear()
    try:
        assert forward_order(once.pk, client=client_upstream, clock=timezone.now)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orders.fulfilment.forward._in_one_statement", lambda: False)
            assert forward_order(steps.pk, client=client_upstream, clock=timezone.now)
    finally:
        stop()

    once.refresh_from_db()
    steps.refresh_from_db()
    assert (once.status, once.upstream_id != steps.upstream_id) == (Status.PENDING, True)
    assert {**row(once), "link": ""} == {**row(steps), "link": ""}
    assert events(once) == events(steps)
    assert [one for one in heard if one[1] == Code.ACCEPTED] == [([pk], Code.ACCEPTED) for pk in (once.pk, steps.pk)]


def test_quick_move_when_the_order_is_not_as_it_was_changes_nothing(paid_order):
    move = QuickMove(
        came_from=Status.SENDING, to=Status.PENDING, code=Code.ACCEPTED, columns={"upstream_id": "text"}, where="%s"
    )

    moved = move.move(paid_order.pk, {"upstream_id": "7"}, where=[True], evidence={}, now=timezone.now())

    paid_order.refresh_from_db()
    assert (moved, paid_order.status, paid_order.upstream_id) == (False, Status.PAID, None)
    assert not paid_order.events.filter(code=Code.ACCEPTED).exists()


def test_quick_move_when_no_order_may_move_so_is_refused():
    with pytest.raises(ValueError, match="cannot become"):
        QuickMove(came_from=Status.COMPLETED, to=Status.PAID, code=Code.ACCEPTED, columns={}, where="TRUE")


def test_move_when_it_is_given_other_fields_than_its_columns_then_it_is_refused_and_nothing_is_moved(place):
    order = place()
    move = QuickMove(
        came_from=Status.PAID, to=Status.SENDING, code=Code.CLAIMED, columns={"attempts": "bigint"}, where="true"
    )

    with pytest.raises(ValueError, match="sent_at"):
        move.move(order.pk, {"attempts": 1, "sent_at": None}, where=(), evidence={}, now=timezone.now())

    order.refresh_from_db()
    assert order.status == Status.PAID
