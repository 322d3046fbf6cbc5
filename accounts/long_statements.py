"""Statements that may take as long as they need, in a process whose statements are limited otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def long_statements() -> Iterator[None]:
    """Lift the limit on how long a statement takes, in one transaction and for nobody after it.

    For reports that go through all rows there are. Nothing upstream may be called meanwhile.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
        yield
