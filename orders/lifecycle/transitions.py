"""The only place that writes an order's status: guarded, by the table of moves, with an event for each order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.fast_queries.inserts import insert_row
from accounts.models import User
from orders.lifecycle.listeners import tell_of_changes
from orders.models import MOVES, Order, OrderEvent


class WrongStatus(Exception):
    """The order has moved on: it cannot become what was asked for any more. Nothing has changed."""


@dataclass(frozen=True)
class Change:
    """What one order's event says: `data` to its customer, `evidence` to staff."""

    order_id: int
    data: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)


def move_orders(
    changes: Sequence[Change],
    to: str,
    *,
    code: str,
    now: datetime,
    where: Q | None = None,
    actor: User | None = None,
    **fields: Any,
) -> None:
    """Move all these orders to the status `to` and write their events, or nothing at all.

    Raises WrongStatus when one of them may not follow, or does not fit `where` (a claim's token, say).
    """
    came_from = [status for status, targets in MOVES.items() if to in targets]
    movable = Order.objects.filter(where or Q(), pk__in=[change.order_id for change in changes], status__in=came_from)
    # One order that does not match has changed nothing: no savepoint is needed to take that back.
    with transaction.atomic(savepoint=len(changes) > 1):
        moved = movable.update(status=to, **fields)
        if moved == len(changes):
            write_events(changes, code=code, status=to, now=now, actor=actor)
        elif moved:
            raise _cannot(changes, to)
    if moved != len(changes):
        raise _cannot(changes, to)


def _cannot(changes: Sequence[Change], to: str) -> WrongStatus:
    return WrongStatus(f"{', '.join(f'#{change.order_id}' for change in changes)} cannot become {to}")


def move_order(
    order_id: int,
    to: str,
    *,
    code: str,
    now: datetime,
    where: Q | None = None,
    data: dict[str, Any] | None = None,
    evidence: dict[str, Any] | None = None,
    actor: User | None = None,
    **fields: Any,
) -> None:
    """Move one order; see `move_orders`."""
    change = Change(order_id, data or {}, evidence or {})
    move_orders([change], to, code=code, now=now, where=where, actor=actor, **fields)


def write_events(
    changes: Sequence[Change], *, code: str, status: str, now: datetime, actor: User | None = None
) -> None:
    """Add a line to the timeline of each order, and tell whoever listens; part of the caller's transaction."""
    events = [
        OrderEvent(
            order_id=change.order_id,
            code=code,
            status=status,
            data=change.data,
            evidence=change.evidence,
            actor=actor,
            created_at=now,
        )
        for change in changes
    ]
    if len(events) == 1:
        insert_row(events[0])
    else:
        OrderEvent.objects.bulk_create(events)
    if code != OrderEvent.Code.PLACED:  # whoever placed it knows
        tell_of_changes([change.order_id for change in changes], code, now=now)
