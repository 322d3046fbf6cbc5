"""What every call of the API pays for at the database, made cheaper: the health check, and planning the same statement.

Django asks the server `SELECT 1` before every request (CONN_HEALTH_CHECKS), as long as a short answer of the API takes
otherwise. A server that restarted, or ended the connection, has said so on the socket; every few seconds it is asked as
before, for what came between in silence.
"""

import select
import time
import weakref
from datetime import datetime
from typing import Any

from django.db.backends.postgresql import base, operations
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseError
from psycopg import Error, OperationalError
from psycopg.types.numeric import Int8Dumper

from storefront.postgresql.limits import LIMITS, local_statements, startup_options
from storefront.postgresql.pooled import DIRECT, FACTS, cursor_with, lasting_session

ASKED_EVERY_SECONDS = 5.0
# Where settings.DATABASES has after how many seconds without an answer a server is given up; without it, never. The
# server's own limits (`limits.py`) say nothing of one that does not run any more, while its machine keeps the line.
PATIENCE = "PATIENCE_SECONDS"


class DatabaseOperations(operations.DatabaseOperations):
    """Django's own, but for the statements of prepared cursors, which it finds no text of."""

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """Return the statement for who counts queries; with its places where its parameters were sent beside it."""
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for the health check and `prepared_cursor`."""

    ops_class = DatabaseOperations
    _asked_at = 0.0

    @property
    def is_pooled(self) -> bool:
        """Whether a pool in transaction mode stands between; see `pooled.py`."""
        return bool(self.settings_dict.get(DIRECT))

    def session(self) -> tuple[int, datetime]:
        """Return PostgreSQL's id of a connection of this process, and when it began: it ends with this process.

        Behind a pool that is one of its own to PostgreSQL itself, else the one that is in use. Raises OperationalError.
        """
        if self.is_pooled:
            settings = {**self.settings_dict, **self.settings_dict[DIRECT], DIRECT: None, LIMITS: {}}
            with self.wrap_database_errors:
                params = DatabaseWrapper(settings, alias=self.alias).get_connection_params()
                return lasting_session({**params, "cursor_factory": None})
        with self.cursor() as cursor:
            cursor.execute(FACTS)
            pid, since = cursor.fetchone()
        return pid, since

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        limits = self.settings_dict.get(LIMITS, {})
        if self.is_pooled:
            params["cursor_factory"] = cursor_with(tuple(local_statements(limits)))
        elif options := startup_options(limits):
            params["options"] = f"{params.get('options', '')} {options}".strip()
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._asked_at = time.monotonic()
        made = super().get_new_connection(conn_params)
        # Only for cursors of `prepared_cursor`: Django's usual ones put the parameters into the text. Behind a pool
        # (see DISABLE_SERVER_SIDE_CURSORS) the next statement may go to another server process.
        if not self.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            made.prepare_threshold = 0
            # By the size of each number psycopg would say another type, and every mixture of them is planned anew.
            # Here and not with each cursor, which would copy all of its types for that.
            made.adapters.register_dumper(int, Int8Dumper)
        if seconds := self.settings_dict.get(PATIENCE):
            made.wait = _with_patience(made, seconds)
        return made

    def prepared_cursor(self) -> CursorWrapper:
        """Return a cursor whose statements the server plans once for each connection; a usual one behind a pool."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        if self.is_pooled:
            return self.cursor()
        with self.wrap_database_errors:
            cursor = base.ServerBindingCursor(self.connection)  # type: ignore[call-arg]  # psycopg 2 has no such one
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]  # the stubs leave it out

    def is_usable(self) -> bool:
        """Return whether the connection works: nothing came over it unasked, or the server answers."""
        now = time.monotonic()
        if self.connection is not None and now < self._asked_at + ASKED_EVERY_SECONDS and not self._has_news():
            return True
        usable: bool = super().is_usable()
        self._asked_at = now
        return usable

    def _has_news(self) -> bool:
        """Return whether there is something to read: the end of the connection, or a word of the server before it."""
        try:
            socket = select.poll()
            socket.register(self.connection.pgconn.socket, select.POLLIN)
            return bool(socket.poll(0))
        except (Error, DatabaseError, ValueError):  # closed on our side
            return True


def _with_patience(made: Any, seconds: float) -> Any:
    """Return the connection's `wait` that gives it up, raising OperationalError, when its server says nothing.

    The driver's own time-out would first ask that server to cancel, and wait for it once more.
    """
    wait, own = type(made).wait, weakref.ref(made)  # a connection that held itself would not close with its thread

    def bounded(working: Any, *arguments: Any, **options: Any) -> Any:
        connection = own()
        return wait(connection, _until(time.monotonic() + seconds, working, connection), *arguments, **options)

    return bounded


def _until(ends_at: float, working: Any, made: Any) -> Any:
    """Go on with what the driver waits for; it is resumed every tenth of a second where nothing comes."""
    try:
        wants = next(working)
        while True:
            ready = yield wants
            if not ready and time.monotonic() >= ends_at:
                working.close()
                made.pgconn.finish()  # not even a rollback would be heard
                raise OperationalError("the server does not answer")
            wants = working.send(ready)
    except StopIteration as done:
        return done.value
