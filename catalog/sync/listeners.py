"""Who else wants to hear how a sync ended: an app above registers itself, once, when the apps are ready."""

from collections.abc import Callable

from catalog.models import SyncRun

Listener = Callable[[SyncRun], None]
_listeners: list[Listener] = []


def when_syncs_end(listener: Listener) -> None:
    """Tell `listener` of every run that has ended, inside the transaction that records its end."""
    _listeners.append(listener)


def tell_of_run(run: SyncRun) -> None:
    """Tell all listeners how this run ended."""
    for listener in _listeners:
        listener(run)
