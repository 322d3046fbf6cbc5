"""Statements that may take as long as they need, in a process whose statements are limited otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def long_statements() -> Iterator[None]:
    """Lift the limit on how long a statement takes, in one transaction and for nobody after it.

    For reports that go through all rows there are. Nothing upstream may be called meanwhile. SQLite has no such limit,
    and there a transaction would keep everybody else from writing.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
        yield
