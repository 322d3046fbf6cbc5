"""Doing many small pieces of work at once, in threads that keep their database connection from piece to piece.

They keep it from one round to the next as well: a connection costs PostgreSQL as much as a dozen statements, and a
sweep comes every few seconds. A thread without work ends after a while, and its connection with it.
"""

import atexit
import contextvars
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from django.db import connection, connections

T = TypeVar("T")
R = TypeVar("R")

# Longer than the rests between two rounds, shorter than anybody counts connections.
IDLE_SECONDS = 15.0


def map_in_threads(pieces: Iterable[T], work: Callable[[T], R], *, threads: int, name: str) -> list[R]:
    """Return what `work` returns for each piece, in no particular order; a thread takes the next piece when it is free.

    `pieces` may be made as they are taken, by the thread that takes them; without threads nothing is done.
    `work` should not raise: what it raises ends its thread's part, and this function when all are done.
    """
    finished = start_in_threads(pieces, work, threads=threads, name=name)
    wait(finished)
    return [result for one in finished for result in one.result()]


def start_in_threads(
    pieces: Iterable[T], work: Callable[[T], R], *, threads: int, name: str
) -> "list[Future[list[R]]]":
    """Begin what `map_in_threads` does and return at once; each future has the results of one thread."""
    source, lock = iter(pieces), threading.Lock()

    def left() -> Iterator[T]:
        while True:
            with lock:
                try:
                    piece = next(source)
                except StopIteration:
                    return
            yield piece

    def take_pieces() -> list[R]:
        done: list[R] = []
        for piece in left():
            done.append(work(piece))
            if connection.errors_occurred:  # the next piece should not meet a connection that broke
                connection.close_if_unusable_or_obsolete()
        return done

    return [_pool.submit(take_pieces, name) for _each in range(threads)]


class _Job(NamedTuple):
    """Some work, the context of who asked for it, and where its result goes."""

    work: Callable[[], Any]
    context: contextvars.Context
    future: "Future[Any]"


class ThreadPool:
    """As many threads as there is work for: one that is idle takes the next piece, else another one is started.

    How many at once, those who ask decide: a limit here would let money wait for receivers that hang. The process does
    not end before their work has.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Condition()
        self._idle: list[_Thread] = []  # the one that worked last is the next to work: the others may end
        self._busy: set[_Thread] = set()

    def submit(self, work: Callable[[], R], name: str) -> "Future[R]":
        """Have a thread do it, now; `name` is what the thread is called meanwhile."""
        job = _Job(work, contextvars.copy_context(), Future())
        with self._lock:
            thread = self._idle.pop() if self._idle else _Thread(self)
            self._busy.add(thread)
        thread.name = name
        thread.inbox.put(job)
        if not thread.ident:
            thread.start()
        return job.future

    def end_idle(self) -> None:
        """End the threads without work, and return when their connections are closed."""
        with self._lock:
            ending, self._idle = self._idle, []
        for thread in ending:
            thread.inbox.put(None)
        for thread in ending:
            thread.join()

    def finish(self) -> None:
        """Return when all work is done and all threads have ended."""
        with self._lock:
            self._lock.wait_for(lambda: not self._busy)
        self.end_idle()

    def forget(self) -> None:
        """Begin anew in a process that was forked: threads do not come along."""
        self.__init__(self._idle_seconds)  # type: ignore[misc]  # the locks too, which may be held for ever

    def next_job(self, thread: "_Thread") -> _Job | None:
        """Wait for the next piece of work for this thread; None: it should end."""
        try:
            return thread.inbox.get(timeout=self._idle_seconds)
        except Empty:
            with self._lock:
                if thread in self._idle:
                    self._idle.remove(thread)
                    return None
            return thread.inbox.get()  # somebody has just taken it

    def rest(self, thread: "_Thread") -> None:
        """Note that this thread may have the next work."""
        with self._lock:
            self._busy.discard(thread)
            self._idle.append(thread)
            self._lock.notify_all()


class _Thread(threading.Thread):
    """One thread of the pool. A daemon: idle ones keep no process alive, `finish` waits for the others."""

    def __init__(self, pool: ThreadPool) -> None:
        super().__init__(daemon=True)
        self.inbox: SimpleQueue[_Job | None] = SimpleQueue()
        self._pool = pool

    def run(self) -> None:
        try:
            while (job := self._pool.next_job(self)) is not None:
                self._do(job)
        finally:
            connections.close_all()  # of this thread alone

    def _do(self, job: _Job) -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            _close_unusable()
            result = job.context.run(job.work)
            _close_unusable()
        except BaseException as error:  # it belongs to who asked for the work
            failure = error
            connections.close_all()
        # Before anybody hears of the result: whoever has the next work should find this thread.
        self._pool.rest(self)
        if failure is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(failure)


def _close_unusable() -> None:
    """As Django does around every request: what broke or is too old goes, the rest is asked before its next use."""
    for one in connections.all(initialized_only=True):
        one.close_if_unusable_or_obsolete()


_pool = ThreadPool(IDLE_SECONDS)
end_idle = _pool.end_idle
atexit.register(_pool.finish)
os.register_at_fork(after_in_child=_pool.forget)
