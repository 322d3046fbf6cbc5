"""Who else wants to hear that orders have changed: an app above registers itself, once, when the apps are ready."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol


class Listener(Protocol):
    """Hears of one kind of change of some orders, inside the transaction that makes it; what it raises undoes both."""

    def __call__(self, order_ids: Sequence[int], code: str, *, now: datetime) -> None: ...


_listeners: list[Listener] = []


def when_orders_change(listener: Listener) -> Callable[[], None]:
    """Tell `listener` of every change from now on; call what is returned to stop that."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def tell_of_changes(order_ids: Sequence[int], code: str, *, now: datetime) -> None:
    """Tell all listeners that these orders have changed: `code` is an OrderEvent's, or a word of the supply's own.

    Part of the caller's transaction; a listener spends no more than one statement on a batch nobody waits for.
    """
    for listener in _listeners:
        listener(order_ids, code, now=now)
