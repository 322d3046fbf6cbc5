"""How the shop reaches its database: whether a pool stands between, and how far a replica is behind."""

import time
from collections.abc import Callable

from django.conf import settings
from django.db import Error, connection, connections
from django.utils.translation import gettext as _

from catalog.caching.replica import REPLICA
from storefront.monitoring.deployment import Trouble, Unwise

PATIENCE_SECONDS = 5.0  # a replica that reaches in that time what the primary had written keeps up
ASK_AGAIN_SECONDS = 0.1
IDENTITY = "SELECT system_identifier, pg_is_in_recovery() FROM pg_control_system()"


def pool() -> str:
    """Return how the database is reached. Raises Trouble where a pool stands between and the shop was not told."""
    if connection.vendor != "postgresql":
        return _("a file")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        # What a pool tells its clients is no process of the server's.
        pooled = cursor.fetchone()[0] != connection.connection.info.backend_pid
    told = connection.is_pooled  # type: ignore[attr-defined]  # our own backend's
    if pooled and not told:
        raise Trouble(
            _(
                "DATABASE_URL leads to a pool: set DATABASE_DIRECT_URL to the address of PostgreSQL itself, else "
                "limits do not hold, and syncs and backups cannot tell who runs them"
            )
        )
    if not told:
        return _("straight to PostgreSQL")
    connection.session()  # type: ignore[attr-defined]  # raises where it is not there
    return _("through a pool, and PostgreSQL itself answers at DATABASE_DIRECT_URL")


def replica() -> str:
    """Return how far the replica is behind. Raises Unwise where it is away, far behind, or no replica of ours."""
    if REPLICA not in settings.DATABASES:
        return _("none")
    try:
        with connection.cursor() as ours, connections[REPLICA].cursor() as its:
            ours.execute(IDENTITY)
            its.execute(IDENTITY)
            (server, _recovers), (copied, recovers) = ours.fetchone(), its.fetchone()
        if server != copied or not recovers:
            raise Unwise(_("the server of DATABASE_REPLICA_URL is no replica of this database: it is not read"))
        gives_up_at = time.monotonic() + PATIENCE_SECONDS
        while seconds := replica_lag():
            if time.monotonic() > gives_up_at:
                words = _("%(seconds)s s behind: pages are read from the primary once the catalog has changed")
                raise Unwise(words % {"seconds": round(seconds)})
            time.sleep(ASK_AGAIN_SECONDS)
    except Error as error:
        raise Unwise(_("it does not answer, pages are read from the primary: %(error)s") % {"error": error}) from error
    finally:
        connections[REPLICA].close()
    return _("keeps up")


def replica_lag() -> float:
    """Return for how many seconds the replica has not reached what the primary has written; 0 where it has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        (written,) = cursor.fetchone()
    with connections[REPLICA].cursor() as cursor:
        cursor.execute(
            "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn,"
            " EXTRACT(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())",
            [written],
        )
        reached, seconds = cursor.fetchone()
    # An idle primary's last transaction is old, however soon the next one arrives: no more than a moment is certain.
    return 0.0 if reached else max(float(seconds or 0), 0.001)


PARTS: dict[str, Callable[[], str]] = {"connections": pool, "replica": replica}
