"""The moves that every order makes, as one statement each (PostgreSQL): the order's row and its event together.

A move in Django's words is put together anew each time, by the program and by the server, and takes a wait for each of
its statements. What may be moved, and that it leaves its event, is the same here as in `transitions.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from accounts.fast_queries.insert_parts import InsertPart
from accounts.fast_queries.reads import prepared_cursor
from orders.models import MOVES, Order, OrderEvent, Status

_EVENT = InsertPart(
    OrderEvent, given=("code", "status", "evidence", "created_at"), taken={"order_id": "moved.id"}, source="moved"
)


class QuickMove:
    """A move of one order from one status to another.

    `columns` names what is written besides, each with its type; `where` is the rest of the condition in SQL, with its
    places after those of the columns and of the order's id. Nobody is told of the move: that is the caller's part, in
    the same transaction.
    """

    def __init__(
        self, *, came_from: str, to: str, code: str, columns: Mapping[str, str], where: str, clears: str = ""
    ) -> None:
        if to not in MOVES[Status(came_from)]:
            raise ValueError(f"{came_from} cannot become {to}")
        self._to, self._code = to, code
        self._came_from, self._columns, self._where, self._clears = came_from, columns, where, clears

    def move(
        self,
        order_id: int,
        fields: Mapping[str, Any],
        *,
        where: Sequence[Any],
        evidence: dict[str, Any],
        now: datetime,
    ) -> bool:
        """Move the order and write its event; return False, with nothing changed, where it does not fit any more.

        Raises ValueError for other fields than its columns.
        """
        if fields.keys() != self._columns.keys():
            raise ValueError(f"{sorted(fields)} are not {sorted(self._columns)}")
        event = OrderEvent(code=self._code, status=self._to, evidence=evidence, created_at=now)
        values = [fields[name] for name in self._columns]
        with prepared_cursor() as cursor:
            cursor.execute(self._statement, [*values, order_id, *where, *_EVENT.values(event)])
            return cursor.fetchone() is not None

    @cached_property
    def _statement(self) -> str:
        columns = "".join(f", {name} = CAST(%s AS {kind})" for name, kind in self._columns.items())
        cleared = f", {self._clears} = NULL" if self._clears else ""
        return f"""
            WITH moved AS (
                UPDATE {Order._meta.db_table} SET status = '{self._to}'{cleared}{columns}
                WHERE id = %s AND status = '{self._came_from}' AND {self._where}
                RETURNING id
            ), told AS ({_EVENT.text})
            SELECT id FROM moved
        """  # noqa: S608 - our own words
