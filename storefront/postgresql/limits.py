"""How long PostgreSQL works on a statement, lets it wait for a lock, and keeps a transaction that does nothing.

What a page asks for has to come while somebody looks at it; a worker may take longer; who migrates or audits by hand is
not limited. So it depends on what this process is, which it says once, before it connects. The limits go with the
connection's start and hold for whoever has it, which is why a pooler in between has to be told of them instead (see
docs/operations.md).
"""

from collections.abc import Mapping
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
    if _this is None:
        return ""
    return " ".join(f"-c {name}={milliseconds}" for name, milliseconds in limits.get(_this, {}).items())
