"""How long PostgreSQL works on a statement, lets it wait for a lock, and keeps a transaction that does nothing.

What a page asks for has to come while somebody looks at it; a worker may take longer; who migrates or audits by hand is
not limited. So it depends on what this process is, which it says once, before it connects. The limits go with the
connection's start and hold for whoever has it. A pool in transaction mode lends the server's connections to everybody
in turn: behind one the limits go with every transaction's first statement instead (`pooled.py`).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

# Where settings.DATABASES has them: milliseconds by the name of PostgreSQL's setting, by what a process is.
LIMITS = "LIMITS"


class Process(StrEnum):
    """What a process of the shop is, as far as the database is concerned."""

    WEB = "web"
    WORKER = "worker"


_this: Process | None = None


def this_process_is(process: Process | None) -> None:
    """Have the limits of such a process for every connection that is opened from now on; None: none."""
    global _this
    _this = process


def startup_options(limits: Mapping[str, Mapping[str, int]]) -> str:
    """Return what a connection of this process says at its start, "" where nothing is limited."""
    return " ".join(f"-c {name}={milliseconds}" for name, milliseconds in _of_this_process(limits))


def local_statements(limits: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return what sets the same for one transaction."""
    return [f"SET LOCAL {name} = {milliseconds}" for name, milliseconds in _of_this_process(limits)]


def _of_this_process(limits: Mapping[str, Mapping[str, int]]) -> Iterable[tuple[str, int]]:
    return () if _this is None else limits.get(_this, {}).items()
