"""Requests that must change nothing: while one is at work, no statement that writes reaches the database.

What such a request may be shown is decided elsewhere; this is for the page that writes although nobody thought of it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections

_read_only: ContextVar[bool] = ContextVar("read_only", default=False)
# What a statement may begin with. Savepoints and transactions change nothing by themselves.
_READING = frozenset(
    {"SELECT", "WITH", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "SET", "SHOW", "PRAGMA", "EXPLAIN", "VALUES"}
)
_WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO)\b", re.IGNORECASE)


class WritesRefused(Exception):
    """A request that must change nothing was about to write to the database."""


def is_read_only() -> bool:
    """Whether the request at work must change nothing: what is only refreshed on the way can be left out then."""
    return _read_only.get()


@contextmanager
def refusing_writes() -> Iterator[None]:
    """Let no statement that writes through. Inside, such a statement raises WritesRefused before it is sent."""
    token = _read_only.set(True)
    try:
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(_refuse))
            yield
    finally:
        _read_only.reset(token)


def _refuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    text = str(sql).lstrip(" \t\r\n(")
    word = text[:12].split(None, 1)[0].rstrip(";").upper() if text else ""
    if word not in _READING or (word == "WITH" and _WRITES.search(text)):
        raise WritesRefused(word)
    return execute(sql, params, many, context)
