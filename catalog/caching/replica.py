"""Reading the catalog from a replica of the database (DATABASE_REPLICA_URL), where pages of visitors are made.

A replica is behind, by how much nobody knows. So what it says is believed only where its own count of the catalog's
changes, read in the snapshot that all of the page is read in, is at least the version that the page is made for: then
it has everything that this version has. Else the primary is asked, as without a replica.

Only the tables whose changes are counted are read there, and only inside `read_at`. Orders, money, sessions, carts,
favorites, quotes, the admin and the workers never see it, and nothing is written: the connection may only read.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from prometheus_client import Counter

from catalog.caching.version import COUNTS, TABLES, Version, pinned_version, recent_version

REPLICA = "replica"
AWAY_SECONDS, BEHIND_SECONDS = 30.0, 1.0  # until the next try
READS = Counter(
    "shop_replica_reads",
    "What was made of the catalog while there is a replica: read there, or from the primary as it was behind or away.",
    ["outcome"],
)

Made = TypeVar("Made")
log = structlog.get_logger(__name__)
_asked_again_at, _last = 0.0, "read"
_trying = threading.Lock()


class CatalogRouter:
    """Reads the counted tables from the replica inside `read_at`, and has everything else at the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        read_there = pinned_version.get() is not None and model._meta.db_table in TABLES
        return REPLICA if read_there else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


def catalog_connection() -> BaseDatabaseWrapper:
    """Return the connection for a statement of our own about the counted tables."""
    return connections[DEFAULT_DB_ALIAS if pinned_version.get() is None else REPLICA]


def read_at(version: Version, make: Callable[[], Made]) -> Made:
    """Return what is made of the catalog as at this version or later; read from the replica where it has that.

    What is made is complete, nothing of it is read later. It may be made twice: where the replica fails on the way, the
    primary is asked. Raises what `make` raises.
    """
    if REPLICA not in connections.settings or pinned_version.get() is not None:
        return make()
    if not _is_tried():
        READS.labels(_last).inc()
        return make()
    replica = connections[REPLICA]
    try:
        with _snapshot(replica):
            with replica.cursor() as cursor:
                cursor.execute(f"SELECT pg_is_in_recovery(), {COUNTS} FROM catalog_version")  # noqa: S608 - our own text
                recovers, *counts = cursor.fetchone()
            its_version = Version(*map(int, counts))
            if recovers and its_version.has(version):
                _note("read", 0.0)
                # Stock it may know newer: no reason to make anew what is kept of the same catalog. What tells none may
                # be made of what does.
                stock = version.stock or min(recent_version().stock, its_version.stock)
                pin = pinned_version.set(its_version._replace(stock=stock))
                try:
                    return make()
                finally:
                    pinned_version.reset(pin)
        _note("behind", BEHIND_SECONDS)
    except Error as error:
        if not replica.errors_occurred:  # the primary's
            raise
        replica.close()
        _note("away", AWAY_SECONDS, error=str(error))
    return make()


@contextmanager
def _snapshot(replica: BaseDatabaseWrapper) -> Iterator[None]:
    """One moment for the version and the page: repeatable read.

    A connection that fails is closed before the transaction ends, else Django would connect once more to say so.
    """
    with transaction.atomic(using=REPLICA):
        try:
            yield
        except Error:
            if replica.errors_occurred:
                replica.close()
            raise


def _is_tried() -> bool:
    """Whether the replica is asked now; of many threads one tries whether it is back, and the others do not wait."""
    global _asked_again_at
    with _trying:
        if time.monotonic() < _asked_again_at:
            return False
        if _last == "away":
            _asked_again_at = time.monotonic() + AWAY_SECONDS
        return True


def _note(outcome: str, seconds: float, **told: Any) -> None:
    """Count how it went, and leave the replica alone for so long; log that it is away, and that it is back."""
    global _asked_again_at, _last
    READS.labels(outcome).inc()
    if outcome == "away":
        log.warning("replica_away", **told)
    elif _last == "away":
        log.warning("replica_back", outcome=outcome)
    _asked_again_at, _last = time.monotonic() + seconds, outcome
