"""A pool of two connections in front of the test's database, and the fixtures of real processes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from storefront.postgresql import pooled as pooling
from storefront.postgresql.limits import this_process_is
from tests.api.conftest import key
from tests.orders.conftest import place
from tests.provision import pgbouncer
from tests.storefront.stops.conftest import books_add_up, web, workers
from tests.workers import database_url

__all__ = ["books_add_up", "key", "place", "web", "workers"]

POOL_SIZE = 2


@dataclass(frozen=True)
class Pool:
    """A PgBouncer before the test's database: its port, and what processes behind it have in their environment."""

    port: int
    environment: dict[str, str]


@pytest.fixture(scope="session")
def bouncer(django_db_setup: None) -> Iterator[Pool]:
    """One PgBouncer for the tests of this process; without one they are skipped."""
    if pgbouncer.program() is None:
        pytest.skip(pgbouncer.MISSING)
    direct = database_url()
    with pgbouncer.PgBouncer(direct, size=POOL_SIZE) as pool:
        yield Pool(pool.port, {"DATABASE_URL": pool.url, "DATABASE_DIRECT_URL": direct})


@pytest.fixture
def pooled(transactional_db: None, bouncer: Pool) -> Iterator[dict[str, Any]]:
    """Have this process itself behind the pool, and return its database's settings."""
    own, before = connection.settings_dict, dict(connection.settings_dict)
    connection.close()
    own.update({pooling.DIRECT: before, "HOST": "127.0.0.1", "PORT": bouncer.port, "DISABLE_SERVER_SIDE_CURSORS": True})
    yield own
    this_process_is(None)
    connection.close()
    if kept := pooling._sessions.pop(os.getpid(), None):
        kept.close()
    own.clear()
    own.update(before)
