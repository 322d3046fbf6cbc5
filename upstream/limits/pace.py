"""How slowly reads go after upstream has said that they come too fast, until it no longer says so."""

import threading
import time
from collections.abc import Callable

FIRST_GAP_SECONDS = 2.0  # what people who run such shops pause between two pages
LONGEST_GAP_SECONDS = 10.0
ANSWERS_TO_GO_FASTER = 5


class Pace:
    """The gap between the reads of one process: none as a rule, wider with each complaint, narrower with answers.

    Threads may share one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._gap = 0.0
        self._next_at = self._slower_at = 0.0
        self._answers = 0

    @property
    def gap_seconds(self) -> float:
        return self._gap

    def turn(self, patience_seconds: float) -> float | None:
        """Take the next turn and return in how many seconds it comes; None, and no turn, if that is too long."""
        if not self._gap:
            return 0.0
        with self._lock:
            now = self._clock()
            wait = max(self._next_at - now, 0.0)
            if wait > patience_seconds:
                return None
            self._next_at = now + wait + self._gap
            return wait

    def slower(self) -> None:
        """Upstream complained: widen the gap, once for all calls that were under way together."""
        with self._lock:
            now = self._clock()
            if now >= self._slower_at + self._gap:
                self._gap = min(max(2 * self._gap, FIRST_GAP_SECONDS), LONGEST_GAP_SECONDS)
                self._slower_at = now
            self._next_at = max(self._next_at, now + self._gap)
            self._answers = 0

    def answered(self) -> None:
        """A read was answered: after a few of them the gap narrows, and closes in the end."""
        if not self._gap:
            return
        with self._lock:
            self._answers += 1
            if self._answers >= ANSWERS_TO_GO_FASTER:
                self._answers = 0
                self._gap = self._gap / 2 if self._gap > FIRST_GAP_SECONDS / 4 else 0.0
