"""gunicorn's threads, held by nobody for long: a visitor who sends or reads slowly is hung up on.

gunicorn waits for the first byte without a thread, but whoever has sent one holds a thread until the request is whole.
A proxy that buffers is the better answer (docs/operations.md); this keeps the shop alive without one.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

HEAD_SECONDS = 10.0
# From the end of the head: bodies are short. What is read of an answer may take longer.
BODY_SECONDS = 20.0
WRITE_SECONDS = 120.0
LOOK_EVERY_SECONDS = 1.0
# Times the longest call that a request waits for: then whatever holds all threads will not let go of them.
STUCK_AFTER_CALLS = 4


class Deadlines:
    """Until when each connection may be sending; the late ones are cut off from that, and can still be answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Any, float] = {}
        self._started = False

    def allow(self, connection: Any, seconds: float) -> None:
        with self._lock:
            self._until[connection] = time.monotonic() + seconds
            if not self._started:
                self._started = True
                threading.Thread(target=self._watch, name="slow-clients", daemon=True).start()

    def forget(self, connection: Any) -> None:
        with self._lock:
            self._until.pop(connection, None)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            now = time.monotonic()
            with self._lock:
                late = [connection for connection, until in self._until.items() if until < now]
                for connection in late:
                    del self._until[connection]
            for connection in late:
                with suppress(OSError):  # it has ended meanwhile
                    connection.sock.shutdown(socket.SHUT_RD)


class Worker(ThreadWorker):
    """The worker with threads, each request of which has its deadlines."""

    def init_process(self) -> None:
        self._deadlines = Deadlines()  # in the process that serves: threads do not outlive a fork
        self._begun: dict[Any, float] = {}  # what threads are busy with, and since when
        super().init_process()

    def notify(self) -> None:
        """Tell the process above that this one is alive; one that says nothing for `timeout` is replaced by it.

        The main loop turns also where every thread hangs, and then nobody is served, for ever.
        """
        if not self._is_stuck():
            super().notify()

    def _is_stuck(self) -> bool:
        begun = list(self._begun.values())
        longest = STUCK_AFTER_CALLS * settings.UPSTREAM_TIMEOUT_SECONDS
        return len(begun) >= self.cfg.threads and time.monotonic() - max(begun) > longest

    def handle(self, conn: Any) -> Any:
        """Serve a connection that has something to say; what it says has to be said soon."""
        self._deadlines.allow(conn, HEAD_SECONDS)
        self._begun[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._begun.pop(conn, None)
            self._deadlines.forget(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head is complete."""
        self._deadlines.allow(conn, BODY_SECONDS)
        conn.sock.settimeout(WRITE_SECONDS)
        return super().handle_request(req, conn)
