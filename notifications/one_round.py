"""One round of sending at a time in each process: a mail server that never answers holds one thread, not all."""

import threading
from collections.abc import Callable

from upstream.limits.time_left import is_over


class OneRound:
    """Runs a round unless one is running; that one is then followed by another, for what came since it began."""

    def __init__(self, send: Callable[[], int]) -> None:
        self._send = send
        self._running = threading.Lock()
        self._asked_again = False

    def run(self) -> int:
        """Return how many messages left; 0 at once where a round is running."""
        self._asked_again = True
        sent = 0
        while self._asked_again and not is_over() and self._running.acquire(blocking=False):
            try:
                self._asked_again = False
                sent += self._send()
            finally:
                self._running.release()
        return sent
