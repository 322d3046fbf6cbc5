"""Waking a worker: a message that makes it look at once.

Losing one costs seconds, never an order: the rows are the queue, and a sweep of beat's finds them. Tasks are named, not
imported, so that whoever changes rows needs to know nothing of who works on them.
"""

import contextvars
import os
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

import structlog
from celery import current_app
from django.core.cache import cache
from django.db import transaction

log = structlog.get_logger(__name__)
MAX_AT_ONCE = 50
# After a message the next one waits this long, so that a busy shop sends few: a message costs a worker as much as two
# orders that come with it. The first after a pause leaves at once.
REST_SECONDS = 0.2
# A broker that is away is asked this seldom: each attempt takes until its time-out, and the sweep does the work.
PAUSE_SECONDS = 5
EXPIRES_SECONDS = 60  # a message that waited longer is dropped: a sweep has been there


@dataclass(frozen=True)
class Wake:
    """A task by its name, the row it is about if it is about one, and how long news may gather before it runs.

    `context` is that of whoever asks for it: the ids that log lines and traces are found by.
    """

    task: str
    row_id: int | None = None
    gather_seconds: int = 0
    context: contextvars.Context = field(default_factory=contextvars.copy_context, compare=False, repr=False)


def wake_worker(task: str, *, row_id: int | None = None, gather_seconds: int = 0) -> None:
    """Have a worker run `task` once the transaction has committed; returns at once and raises nothing.

    With `row_id` the task is called with `ids`, a list of those that came within a moment. With `gather_seconds` it
    runs that much later, and once, of all processes, for everything that happens until then.
    """
    transaction.on_commit(partial(_messenger.tell, Wake(task, row_id, gather_seconds)))


class Messenger:
    """A thread of its own in each process tells the broker, so that no customer waits for it.

    What gathers while a message is on its way leaves with the next one. Started at the first need, so that a server
    that forks has one in every child.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_in = 0
        self._wakes: SimpleQueue[Wake] = SimpleQueue()

    def tell(self, wake: Wake) -> None:
        """Let a worker hear of this soon; returns at once and raises nothing."""
        if self._started_in != os.getpid():
            self._start()
        self._wakes.put(wake)

    def _start(self) -> None:
        with self._lock:
            if self._started_in == os.getpid():
                return
            self._wakes = SimpleQueue()
            threading.Thread(target=self._run, args=[self._wakes], name="wake-worker", daemon=True).start()
            self._started_in = os.getpid()

    def _run(self, wakes: "SimpleQueue[Wake]") -> None:
        while True:
            gathered = [wakes.get()]
            while len(gathered) < MAX_AT_ONCE and not wakes.empty():
                gathered.append(wakes.get())
            try:
                _send(gathered)
                if len(gathered) < MAX_AT_ONCE:
                    time.sleep(REST_SECONDS)
            except Exception as error:  # a broker fails in many ways, and none of them may end this thread
                log.warning("worker_not_woken", tasks=sorted({wake.task for wake in gathered}), error=str(error))
                time.sleep(PAUSE_SECONDS)
                while not wakes.empty():  # by now the sweeps have seen their rows
                    wakes.get()


_messenger = Messenger()


def _send(gathered: list[Wake]) -> None:
    """Send one message for each task; the rows of one task go with the same message."""
    about_rows: dict[str, list[Wake]] = {}
    others: dict[Wake, list[Wake]] = {}
    for wake in gathered:
        if wake.row_id is not None:
            about_rows.setdefault(wake.task, []).append(wake)
        else:
            others.setdefault(wake, []).append(wake)
    for task, wakes in about_rows.items():
        ids = [wake.row_id for wake in wakes]
        _context(wakes).run(current_app.send_task, task, kwargs={"ids": ids}, retry=False, expires=EXPIRES_SECONDS)
    for wake, wakes in others.items():
        wait = wake.gather_seconds
        if not wait or cache.add(f"worker_woken:{wake.task}", 1, timeout=wait):
            options = {"retry": False, "countdown": wait, "expires": EXPIRES_SECONDS}
            _context([] if wait else wakes).run(current_app.send_task, wake.task, **options)


def _context(wakes: list[Wake]) -> contextvars.Context:
    """Return the context of the request that woke; none where several did, and the message is about all of them."""
    asked_by = {wake.context.run(structlog.contextvars.get_contextvars).get("request_id") for wake in wakes}
    return wakes[0].context if len(asked_by) == 1 else contextvars.Context()
