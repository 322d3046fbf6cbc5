"""The rows of attempts whose answer is not known: writing one down, and what became of it.

Who calls these holds the order's row by a write of the same transaction, and it is always locked first.
"""

from datetime import datetime
from typing import Any

from accounts.models import User
from orders.lifecycle.attention import OF_WAITING, Flag, clear_flags, raise_flag
from orders.models import LostAttempt, Order

State = LostAttempt.State
Cause = LostAttempt.Cause
NOT_LOOKED_AT: dict[str, Any] = {"doubt": "", "doubt_detail": "", "looked_at": None, "asked_about": "", "evidence": {}}


def note_lost(order: Order, cause: str, detail: str, *, now: datetime, state: str = State.LOST) -> None:
    """Write down that nobody knows whether the order's last attempt was placed, and put it into the queue.

    An attempt that staff had called not placed, while its worker was still waiting, is lost again.
    """
    known = {"cause": cause, "cause_detail": detail, "state": state, **NOT_LOOKED_AT}
    rows = LostAttempt.objects.unsettled().filter(order=order, number=order.attempts)
    if not rows.update(**known):
        LostAttempt.objects.create(
            order=order,
            kind=order.kind,
            number=order.attempts,
            sent_at=order.sent_at or now,
            id_before=order.last_upstream_id_before,
            cost_upstream_micros=order.cost_upstream_micros,
            created_at=now,
            **known,
        )
    raise_flag(order.pk, Flag.PERHAPS_PLACED, now=now, cause=cause, detail=detail[:300])


def settle_waiting(order_id: int, state: str, *, now: datetime, actor: User | None = None, **fields: Any) -> bool:
    """Say what became of the attempt that the order, unknown until now, waited for; return whether there was one.

    Whatever flags said only why it waited are cleared.
    """
    clear_flags([order_id], OF_WAITING, now=now, actor=actor)
    rows = LostAttempt.objects.filter(order_id=order_id, state=State.LOST)
    return bool(rows.update(state=state, **_settled(state, now), **fields))


def answer_came(order: Order, state: str, *, now: datetime, upstream_id: str = "") -> None:
    """The order's last attempt was answered after all, while the order still waited."""
    rows = LostAttempt.objects.unsettled().filter(order=order, number=order.attempts)
    rows.update(state=state, upstream_id=upstream_id, **_settled(state, now))
    clear_answered(order.pk, now=now)


def clear_answered(order_id: int, *, now: datetime) -> None:
    """Take an order whose answer is known off the queue, unless an attempt that was given up may still turn up."""
    in_doubt = LostAttempt.objects.filter(order_id=order_id, state=State.ABANDONED).exclude(doubt="")
    over = OF_WAITING if in_doubt.exists() else (*OF_WAITING, Flag.PERHAPS_TWICE)
    clear_flags([order_id], over, now=now)


def settle_attempt(attempt: LostAttempt, state: str, *, now: datetime, **fields: Any) -> bool:
    """Say what became of an attempt nobody waits for any more; return whether that was open as it was read."""
    rows = LostAttempt.objects.filter(pk=attempt.pk, state=attempt.state)
    return bool(rows.update(state=state, **_settled(state, now), **fields))


def _settled(state: str, now: datetime) -> dict[str, Any]:
    return {"settled_at": None if state in LostAttempt.UNSETTLED else now}
