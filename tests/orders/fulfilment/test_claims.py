"""A claim in one statement takes what a claim step by step takes, and leaves what that leaves."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from orders.fulfilment.claims import claim_order
from orders.models import ForwardingPause, Order, OrderEvent, Status

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite goes step by step"),
]
NOW = timezone.now()
Reason = ForwardingPause.Reason
OBSTACLES: dict[str, dict[str, Any]] = {
    "its time has not come": {"not_before": NOW + timedelta(seconds=1)},
    "it is held": {"held_because": "loss"},
    "somebody has tried it since": {"attempts": 1},
    "somebody sends it": {"status": Status.PENDING, "upstream_id": "7"},
}
PAUSES: dict[str, dict[str, Any]] = {
    "open": {"reason": Reason.ADMIN},
    "ended, not proved": {"reason": Reason.BALANCE, "ended_at": NOW},
    "of a key, not proved": {"reason": Reason.KEY, "ended_at": NOW},
}


def claimed(order: Order) -> Any:
    return claim_order(Order.objects.get(pk=order.pk), now=NOW, last_id="23500", cost_micros=123_456)


def step_by_step(order: Order) -> Any:
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "vendor", "sqlite")
        found.append(claimed(order))
    return found[0]


def row(order: Order) -> dict[str, Any]:
    left_out = ("id", "checkout", "claim_token", "link", "created_at")
    return {
        name: value for name, value in model_to_dict(Order.objects.get(pk=order.pk)).items() if name not in left_out
    }


def events(order: Order) -> list[tuple[Any, ...]]:
    found = OrderEvent.objects.filter(order=order, code=OrderEvent.Code.CLAIMED)
    return [(one.status, one.data, sorted(one.evidence), one.actor_id, one.created_at) for one in found]


def test_claim_when_the_order_waits_writes_the_same_in_either_way(place: Any) -> None:
    once, steps = place(), place()

    one, other = claimed(once), step_by_step(steps)

    assert row(once) == row(steps)
    assert events(once) == events(steps)
    assert len(events(once)) == 1
    for found in (one, other):
        assert found.stands(now=NOW, call_seconds=1)
        assert Order.objects.get(pk=found.order.pk).claim_token == found.token
        assert found.order.attempts == 1
    assert claimed(once) is None


@pytest.mark.parametrize("fields", OBSTACLES.values(), ids=OBSTACLES)
def test_claim_when_something_is_in_the_way_takes_nothing_in_either_way(place: Any, fields: dict[str, Any]) -> None:
    order = place()
    read = Order.objects.get(pk=order.pk)
    Order.objects.filter(pk=order.pk).update(**fields)
    before = row(order)

    assert claim_order(read, now=NOW, last_id="", cost_micros=1) is None

    assert row(order) == before
    assert events(order) == []


@pytest.mark.parametrize("fields", PAUSES.values(), ids=PAUSES)
def test_claim_while_forwarding_is_paused_takes_nothing_in_either_way(place: Any, fields: dict[str, Any]) -> None:
    order = place()
    pause = ForwardingPause.objects.create(started_at=NOW, **fields)
    assert claimed(order) is None
    assert step_by_step(order) is None

    ForwardingPause.objects.filter(pk=pause.pk).update(ended_at=NOW, proved_at=NOW)

    assert claimed(order) is not None


def test_claim_inside_a_transaction_is_refused(place: Any) -> None:
    order = place()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        claimed(order)
