"""What this process has read of API keys within the last second, for calls that change nothing.

A statement for the key is most of what a short answer waits for. So a row that was read less than a second ago is taken
as it was. Whatever is written of keys, customers, their groups or blocks through Django makes this process forget all
rows, now and once it is committed; other processes, and whoever writes by hand, are followed when the second is over.
Calls that buy or change something read the row every time.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

KNOWN_SECONDS = 1.0
MAX_ROWS = 2000  # of a kilobyte or two
_WRITES = re.compile(
    r'\s*(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE) "?accounts_(?:apikey|user|customergroup|accountblock)\b'
)
Row = tuple[Any, ...]
_rows: dict[str, tuple[Row, float]] = {}  # by digest: the row, and until when it may be taken
_forgotten = 0


def known_row(digest: str, read: Callable[[], Row | None]) -> Row | None:
    """Return what `read` returned for this digest within the last second, or does now; None is not kept."""
    row, until = _rows.get(digest, (None, 0.0))
    began = time.monotonic()
    if row is not None and began < until:
        return row
    forgotten = _forgotten
    row = read()
    if len(_rows) >= MAX_ROWS:
        _rows.clear()
    if row is not None and forgotten == _forgotten:  # else it may be from before what another thread has just written
        _rows[digest] = row, began + KNOWN_SECONDS
        if forgotten != _forgotten:
            _rows.pop(digest, None)
    return row


def forget_rows() -> None:
    """Have every row read again."""
    global _forgotten
    _forgotten += 1
    _rows.clear()


def watch_connection(*, connection: BaseDatabaseWrapper, **_of_the_signal: Any) -> None:
    """Look at what is written through this connection; called for each new one."""
    if _watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watched)


def _watched(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    result = execute(sql, params, many, context)
    if isinstance(sql, str) and _WRITES.match(sql):
        forget_rows()
        database = context["connection"]
        if database.in_atomic_block:
            transaction.on_commit(forget_rows, using=database.alias)
    return result
