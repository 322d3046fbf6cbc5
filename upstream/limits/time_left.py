"""Until when calls may begin: not for ever in one task, and not any more in a process that is to stop.

Threads can't be interrupted from outside, as processes can. So a task gets its time here, and whoever loops over calls
comes to an end by itself: a call that begins too late is withheld, which every caller can live with. A purchase whose
turn has come (`Client.slot`) is made all the same, because its order is claimed.
"""

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from upstream.errors import Withheld

_ends_at: contextvars.ContextVar[float | None] = contextvars.ContextVar("calls_end_at", default=None)
_stopping = threading.Event()


@contextmanager
def calls_within(seconds: float) -> Iterator[None]:
    """Let calls begin for so long, here and in the threads that work for this one."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def stop_calls() -> None:
    """Let no more calls begin in this process: it ends as soon as those under way are done."""
    _stopping.set()


def is_over() -> bool:
    """Whether nothing new should begin here: the process is to stop, or the task has had its time."""
    ends_at = _ends_at.get()
    return _stopping.is_set() or (ends_at is not None and time.monotonic() >= ends_at)


def check_time() -> None:
    """Raises Withheld where nothing new should begin."""
    if is_over():
        raise Withheld("this process is about to stop" if _stopping.is_set() else "this task has taken too long")
