"""Python's garbage collector, paused while a hundred thousand rows are made that all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Run the block without the cyclic collector: it would look through the same rows again and again, for nothing.

    That took half of the time of reading a large answer. Reference counts go on freeing what is done with.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
