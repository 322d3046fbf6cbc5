"""Which process runs a sync, and whether it can still be alive: a killed one must not hold up the next for long.

On PostgreSQL a run belongs to a connection: the server knows at once that its client is gone, on whatever machine that
was. Behind a pool, whose connections outlive its clients, that is one to PostgreSQL itself. SQLite's file belongs to
one machine: there it is the process.
"""

import os
import platform
from datetime import datetime

from django.db import connection


def lock_holder_here() -> str:
    """Return a word for who runs a sync in this process and thread."""
    if connection.vendor == "postgresql":
        pid, since = connection.session()  # type: ignore[attr-defined]  # our own backend's
        return f"{pid} {since.isoformat()}"
    return f"{os.getpid()} {platform.node()}"


def holder_is_gone(lock_holder: str) -> bool:
    """Return whether the process with this word has ended; False also where that cannot be known."""
    pid, _space, rest = lock_holder.partition(" ")
    if not pid.isdecimal():
        return False
    if connection.vendor == "postgresql":
        try:
            since = datetime.fromisoformat(rest)
        except ValueError:  # of another database, before the move to this one
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s AND backend_start = %s)", [int(pid), since]
            )
            return not cursor.fetchone()[0]
    return rest == platform.node() and not _runs(int(pid))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
