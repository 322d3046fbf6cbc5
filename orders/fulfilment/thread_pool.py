"""Doing many small pieces of work at once, in threads that keep their database connection from piece to piece."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
R = TypeVar("R")


def map_in_threads(pieces: Iterable[T], work: Callable[[T], R], *, threads: int, name: str) -> list[R]:
    """Return what `work` returns for each piece, in no particular order; a thread takes the next piece when it is free.

    `pieces` may be made as they are taken, by the thread that takes them; without threads nothing is done.
    `work` should not raise: what it raises ends its thread, and this function when all are done.
    """
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
        try:
            for piece in left():
                done.append(work(piece))
                if connection.errors_occurred:  # the next piece should not meet a connection that broke
                    connection.close_if_unusable_or_obsolete()
        finally:
            connection.close()  # this thread's own, which ends here
        return done

    if not threads:
        return []
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        finished = [pool.submit(take_pieces) for _each in range(threads)]
    return [result for one in finished for result in one.result()]
