"""Whether the main loop of this process still turns: health checks read it, and a process that hangs ends itself.

Docker restarts what has ended, not what is ill; whatever restarted the unhealthy from outside would need Docker's
socket, which is root on the machine. systemd restarts what has ended as well, so one way does for both.
"""

import contextlib
import faulthandler
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer
from django.conf import settings

EVERY_SECONDS = 5.0
STANDARD_ERROR = 2  # by its number: Celery puts a logger in its place
# Longer than any call that a main loop makes, and than the time-outs of a Redis that is silent.
HANGS_AFTER_SECONDS = 180.0


def beat() -> None:
    """Say that the main loop turns. Where it says nothing for HANGS_AFTER_SECONDS, the process ends with status 1.

    It ends with the stacks of all threads in its log. The watch needs no thread of Python's: it ends a process that
    holds the interpreter's lock as well.
    """
    faulthandler.dump_traceback_later(HANGS_AFTER_SECONDS, exit=True, file=STANDARD_ERROR)
    if settings.PULSE_FILE:
        with contextlib.suppress(OSError):  # a disk that is full is no reason to stop working
            Path(settings.PULSE_FILE).touch()


def rest() -> None:
    """Let the main loop be silent from now on, until it says something again."""
    faulthandler.cancel_dump_traceback_later()


class PulseStep(bootsteps.StartStopStep):
    """The worker's pulse, by the timer of its main loop."""

    requires = {"celery.worker.components:Timer"}

    def start(self, parent: Any) -> None:
        """Begin with the worker."""
        beat()
        parent.timer.call_repeatedly(EVERY_SECONDS, beat)

    def close(self, parent: Any) -> None:
        """A worker that is stopping waits for its tasks, however long that takes."""
        rest()


class PatientConsumer(Consumer):
    """Celery's consumer, which may wait for a broker that is away: to end would not bring it back."""

    def ensure_connected(self, conn: Any) -> Any:
        """Return the connection once there is one."""
        rest()
        try:
            return super().ensure_connected(conn)
        finally:
            beat()
