"""Behind a pool in transaction mode (PgBouncer): nothing that is said to a connection may outlive the transaction.

Each transaction runs on whichever connection of the server is free. So the limits travel in front of every
transaction's first statement, in the same message: it costs no wait for the server, and holds for a statement alone as
well. Nothing is prepared, and nothing is read in pieces. What needs a connection of its own for longer (who runs a
sync, pg_dump, migrations) goes to PostgreSQL itself, at DATABASE_DIRECT_URL.
"""

import os
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, cast

import psycopg
from psycopg import pq, sql

# Where settings.DATABASES has the address of PostgreSQL itself, as django-environ reads it; only behind a pool.
DIRECT = "DIRECT"
FACTS = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_sessions: dict[int, "psycopg.Connection[Any]"] = {}
_opening = threading.Lock()


class PooledCursor(psycopg.ClientCursor[Any]):
    """The driver's cursor as Django has it, which says the limits at the beginning of every transaction."""

    _limits: tuple[str, ...] = ()
    _first: Any = ""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Execute a statement; as a transaction's first one, together with the limits."""
        if not self._limits or not self._begins():
            return super().execute(query, params, **options)
        first: Any = sql.SQL(self._first) if isinstance(query, sql.Composable) else self._first
        super().execute(first + query, params, **options)
        for _each in self._limits:  # each has a result of its own, and ours comes last
            self.nextset()
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        self._say_limits()
        super().executemany(query, params_seq, **options)

    def copy(self, statement: Any, params: Any = None, **options: Any) -> Any:
        self._say_limits()
        return super().copy(statement, params, **options)

    def _begins(self) -> bool:
        return self.connection.info.transaction_status == pq.TransactionStatus.IDLE

    def _say_limits(self) -> None:
        """Say them in a message of their own, for what takes no other statement beside it."""
        if self._limits and self._begins() and not self.connection.autocommit:
            super().execute(self._first)


@cache
def cursor_with(limits: tuple[str, ...]) -> type[PooledCursor]:
    """Return the cursor that says these limits: a class, as others (traces) make their own of it."""
    first = "".join(f"{each}; " for each in limits)
    return type("LimitedCursor", (PooledCursor,), {"_limits": limits, "_first": first})


def lasting_session(params: Mapping[str, Any]) -> tuple[int, datetime]:
    """Return PostgreSQL's id of a connection that lasts as long as this process, and when it began.

    `params` leads to PostgreSQL itself. Whoever asks pg_stat_activity knows by it whether this process lives. Raises
    psycopg.Error.
    """
    with _opening:
        own = _sessions.get(os.getpid())
        try:
            row = own.execute(FACTS).fetchone() if own is not None else None
        except psycopg.OperationalError:  # it has ended meanwhile
            row = None
        if row is None:
            own = _sessions[os.getpid()] = psycopg.connect(**params, autocommit=True)
            row = own.execute(FACTS).fetchone()
        return cast(tuple[int, datetime], row)
