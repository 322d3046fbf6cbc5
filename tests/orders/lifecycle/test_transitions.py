"""The table of moves: every pair, walked."""

import itertools

import pytest
from django.utils import timezone

from orders.lifecycle.transitions import (
    Change,
    WrongStatus,
    move_order,
    move_orders,
)
from orders.models import MOVES, Order, OrderEvent, Status

pytestmark = pytest.mark.sqlite

PAIRS = list(itertools.product(Status, Status))


def put_into(order: Order, status: str) -> None:
    """Set a status as no code of ours does, to begin from it."""
    claim = {"claim_token": "6f1b2d0e-0000-4000-8000-000000000001", "claim_deadline": timezone.now()}
    Order.objects.filter(pk=order.pk).update(status=status, **claim)


@pytest.mark.parametrize(("came_from", "to"), PAIRS)
def test_move_order_follows_the_table_and_writes_an_event(paid_order, came_from, to):
    put_into(paid_order, came_from)
    events = paid_order.events.count()
    allowed = to in MOVES[came_from]

    if allowed:
        move_order(paid_order.pk, to, code=OrderEvent.Code.RESOLVED, now=timezone.now())
    else:
        with pytest.raises(WrongStatus):
            move_order(paid_order.pk, to, code=OrderEvent.Code.RESOLVED, now=timezone.now())

    paid_order.refresh_from_db()
    assert paid_order.status == (to if allowed else came_from)
    assert paid_order.events.count() == events + allowed


def test_every_status_has_its_moves():
    assert set(MOVES) == set(Status)


def test_move_orders_moves_all_or_none(place):
    first, second = place(), place()
    put_into(second, Status.COMPLETED)

    changes = [Change(first.pk), Change(second.pk)]
    with pytest.raises(WrongStatus):
        move_orders(changes, Status.FAILED, code=OrderEvent.Code.REFUSED, now=timezone.now())

    first.refresh_from_db()
    assert (first.status, first.events.count()) == (Status.PAID, 1)
