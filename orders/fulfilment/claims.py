"""Taking an order for one worker before it is sent: whoever has the claim may send it once.

On PostgreSQL a claim is one statement, which commits by itself: the place upstream is held meanwhile, so every wait for
the server is a wait for upstream. What has to be asked inside a transaction first, and SQLite, go step by step.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from accounts.fast_queries.reads import Prepared
from orders.fulfilment.pauses import GATE_IS_OPEN, GATE_IS_OPEN_SQL
from orders.lifecycle.quick_moves import QuickMove
from orders.lifecycle.transitions import WrongStatus, move_order
from orders.models import Order, OrderEvent, Status

Turn = Callable[..., bool]  # asked with `now` whether an order may go out already
Code = OrderEvent.Code

_take_now = QuickMove(
    came_from=Status.PAID,
    to=Status.SENDING,
    code=Code.CLAIMED,
    columns={
        "claim_token": "uuid",
        "claim_deadline": "timestamptz",
        "attempts": "bigint",
        "last_upstream_id_before": "text",
        "sent_at": "timestamptz",
        "cost_upstream_micros": "bigint",
    },
    where=f"attempts = %s AND held_because = '' AND (not_before IS NULL OR not_before <= %s) AND {GATE_IS_OPEN_SQL}",
    clears="taken_until",
)
_held = Prepared(lambda: Order.objects.filter(pk=0).order_by().values_list("status", "claim_token"), example=(0,))


@dataclass(frozen=True)
class Claim:
    """The right to send one order once, until `deadline`."""

    order: Order
    token: uuid.UUID
    deadline: datetime

    def stands(self, *, now: datetime, call_seconds: float) -> bool:
        """Whether it is still ours and outlives the longest call: who slept through the deadline must not send."""
        if now + timedelta(seconds=call_seconds) >= self.deadline:
            return False
        return _held.rows(self.order.pk) == [(Status.SENDING, self.token)]


def claim_order(
    order: Order, *, now: datetime, last_id: str, cost_micros: int, probing: bool = False, turns: Sequence[Turn] = ()
) -> Claim | None:
    """Take the order for ourselves, committed before anything is sent; None when somebody else has or had it.

    `cost_micros` is what it is expected to cost, which the charge will be compared with. While forwarding is paused no
    order is taken; with `probing` one may be, as its `turns` say, each of which is asked inside the transaction.
    """
    token = uuid.uuid4()
    deadline = now + timedelta(seconds=settings.ORDERS_CLAIM_SECONDS)
    fields = {
        "claim_token": token,
        "claim_deadline": deadline,
        "attempts": order.attempts + 1,
        "last_upstream_id_before": last_id,
        "sent_at": now,
        "cost_upstream_micros": cost_micros,
    }
    evidence = {"token": str(token), "newest_upstream_id": last_id}
    at_once = connection.vendor == "postgresql" and not connection.in_atomic_block and not probing and not turns
    take = _take_at_once if at_once else _take_step_by_step(probing, turns)
    if not take(order, fields, evidence, now):
        return None
    for name, value in {"status": Status.SENDING, "taken_until": None, **fields}.items():
        setattr(order, name, value)
    return Claim(order, token, deadline)


def _take_step_by_step(probing: bool, turns: Sequence[Turn]) -> Callable[..., bool]:
    def take(order: Order, fields: dict[str, Any], evidence: dict[str, Any], now: datetime) -> bool:
        # The attempts say that nobody has tried it since it was read: what we hold is the row as it is.
        free = (Q(not_before=None) | Q(not_before__lte=now)) & Q(held_because="", attempts=order.attempts)
        try:
            with transaction.atomic(durable=True):
                if not all(turn(now=now) for turn in turns):
                    return False
                move_order(
                    order.pk,
                    Status.SENDING,
                    code=Code.CLAIMED,
                    now=now,
                    where=free if probing else free & Q(GATE_IS_OPEN),
                    evidence=evidence,
                    taken_until=None,
                    **fields,
                )
        except WrongStatus:
            return False
        return True

    return take


def _take_at_once(order: Order, fields: dict[str, Any], evidence: dict[str, Any], now: datetime) -> bool:
    """The same in one statement. Nobody is told of a claim: it is over in a moment."""
    return _take_now.move(order.pk, fields, where=(order.attempts, now), evidence=evidence, now=now)
