"""Orders as they stand when nobody knows what became of them, and what their flags say; for tests that begin there."""

from typing import Any

from django.utils import timezone

from orders.attempts.answers import note_lost
from orders.lifecycle.attention import attention_of, raise_flag
from orders.models import AttentionFlag, LostAttempt, Order, Status

Flag = AttentionFlag.Code


def flags_of(order: Order) -> list[str]:
    """Return the codes of the order's open flags, as they were raised."""
    return list(order.flags.open().values_list("code", flat=True))


def said_of(order: Order) -> str:
    """Return what the admin's queue says of the order."""
    return attention_of(Order.objects.get(pk=order.pk))


def flag(order: Order, code: str, **details: Any) -> None:
    """Put the order into the queue."""
    assert raise_flag(order.pk, code, now=timezone.now(), **details)


def make_lost(order: Order, detail: str = "time-out", **fields: Any) -> LostAttempt:
    """Lose the answer to the order's attempt, of now unless `fields` of the order say otherwise."""
    Order.objects.filter(pk=order.pk).update(**{"sent_at": timezone.now(), "status": Status.UNKNOWN, **fields})
    order.refresh_from_db()
    note_lost(order, LostAttempt.Cause.NO_ANSWER, detail, now=timezone.now())
    return attempt_of(order)


def attempt_of(order: Order) -> LostAttempt:
    """Return the order's last lost attempt."""
    return LostAttempt.objects.filter(order=order).latest("pk")
