"""How many threads of a web process may wait for upstream at once: the others answer everybody else meanwhile.

A supplier that hangs takes each call's whole time. Where more customers ask for it than a server has threads, no page
would be answered any more, and no health check either. Workers wait as they like: waiting is what they are for.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from upstream.errors import Withheld


class Waiting:
    """Counts the threads that wait; a thread that counts already is not counted twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._most: int | None = None
        self._now = 0
        self._own = threading.local()

    def limit(self, most: int | None) -> None:
        """Let so many threads of this process wait from now on; None: all of them."""
        self._most = most

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while this thread waits for upstream. Raises Withheld where all are taken."""
        if getattr(self._own, "held", False):
            yield
            return
        with self._lock:
            if self._most is not None and self._now >= self._most:
                raise Withheld("too many requests of this process wait for upstream already")
            self._now += 1
        self._own.held = True
        try:
            yield
        finally:
            self._own.held = False
            with self._lock:
                self._now -= 1


waiting_threads = Waiting()
