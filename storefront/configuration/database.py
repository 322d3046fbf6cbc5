"""The database of the shop, and the role that migrates where it is another than the one that runs the shop."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.environment import Environment

LIKE = "postgres://user:password@host:5432/name"
REPLICA_PATIENCE_SECONDS = 5


def databases(env: Environment, base_dir: Path) -> dict[str, dict[str, Any]]:
    """Return DATABASES. Raises ImproperlyConfigured for anything but PostgreSQL and SQLite."""
    database = env.parsed("DATABASE_URL", "db_url_config", f"sqlite:///{base_dir / 'var/shop.sqlite3'}", like=LIKE)
    if database.get("ENGINE") == "django.db.backends.sqlite3":
        for name in ("DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL"):
            if env.text(name, ""):
                raise ImproperlyConfigured(f"{name} is set, and DATABASE_URL is a file: there is nothing beside it.")
        database["OPTIONS"] = {
            # Writers queue at BEGIN instead of failing in the middle of a transaction that first only read.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
        database["TEST"] = {"NAME": str(base_dir / "var/test.sqlite3")}  # a file: threads must see the same database
    elif database.get("ENGINE") == "django.db.backends.postgresql":
        if not database["NAME"]:
            raise ImproperlyConfigured(f"DATABASE_URL names no database; it should look like {LIKE}.")
        database["ENGINE"] = "storefront.postgresql"
        if direct := _direct(env, database):
            database["DIRECT"] = direct  # see storefront/postgresql/pooled.py
            database["DISABLE_SERVER_SIDE_CURSORS"] = True  # the next statement may come over another connection
        database["CONN_MAX_AGE"] = env.number("DATABASE_CONN_MAX_AGE_SECONDS", 60)
        database["CONN_HEALTH_CHECKS"] = True
        database["LIMITS"] = _limits(env)
        # A server that is gone without a word is noticed within a minute, one that does not let us in at once.
        reach = {"connect_timeout": 5, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
        database["OPTIONS"] = {**reach, **database.get("OPTIONS", {})}
        if replica := _replica(env, database):
            return {"default": database, "replica": replica}
    else:
        raise ImproperlyConfigured("DATABASE_URL should begin with postgres:// or sqlite:///.")
    return {"default": database}


def _direct(env: Environment, database: dict[str, Any]) -> dict[str, Any]:
    """Return where PostgreSQL itself listens; empty where no pool stands between."""
    if not env.text("DATABASE_DIRECT_URL", ""):
        return {}
    direct = _postgresql(env, "DATABASE_DIRECT_URL")
    if direct["USER"] != database["USER"]:
        # PostgreSQL tells a role about its own connections alone: who runs a sync would look dead to all others.
        raise ImproperlyConfigured("DATABASE_DIRECT_URL should name the same user as DATABASE_URL.")
    return direct


def _replica(env: Environment, database: dict[str, Any]) -> dict[str, Any]:
    """Return a replica that pages of visitors are read from; empty where there is none. See catalog/caching/replica.py.

    Whoever waits for it can have the page from the primary, so it is given up soon.
    """
    if not env.text("DATABASE_REPLICA_URL", ""):
        return {}
    replica = {**database, **_postgresql(env, "DATABASE_REPLICA_URL"), "ENGINE": database["ENGINE"], "DIRECT": None}
    limits = database["LIMITS"]
    own = replica.get("OPTIONS", {})
    replica["DISABLE_SERVER_SIDE_CURSORS"] = False  # no pool stands before this one
    milliseconds = 1000 * REPLICA_PATIENCE_SECONDS
    replica["LIMITS"] = {process: {**of_it, "statement_timeout": milliseconds} for process, of_it in limits.items()}
    replica["PATIENCE_SECONDS"] = REPLICA_PATIENCE_SECONDS + 1  # its own word says more
    only_reads = r"-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\ read"
    options = f"{only_reads} {own.get('options', '')}".strip()
    soon = {"connect_timeout": 2, "tcp_user_timeout": 5_000}
    replica["OPTIONS"] = {**database["OPTIONS"], **soon, **own, "options": options}
    return replica


def _limits(env: Environment) -> dict[str, dict[str, int]]:
    """Return PostgreSQL's settings of each kind of process, in milliseconds; see storefront/postgresql/limits.py."""
    idle = env.seconds("DATABASE_IDLE_TRANSACTION_SECONDS", 120, minimum=0)
    times = {
        # Shorter than the wait for a lock: a host that vanishes in the middle of a sale keeps that customer's wallet
        # locked, and another host should get it before it gives up. Nothing is waited for within web's transactions.
        "web": (env.seconds("DATABASE_WEB_STATEMENT_SECONDS", 20, minimum=0), 15.0, min(idle, 10.0)),
        "worker": (env.seconds("DATABASE_WORKER_STATEMENT_SECONDS", 300, minimum=0), 60.0, idle),
    }
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    return {
        process: {name: round(seconds * 1000) for name, seconds in zip(names, of_it, strict=True)}
        for process, of_it in times.items()
    }


def migration_database(env: Environment) -> dict[str, Any]:
    """Return where `migrate` connects; empty where that is where everybody does."""
    if not env.text("MIGRATION_DATABASE_URL", ""):
        return {}
    return _postgresql(env, "MIGRATION_DATABASE_URL")


def _postgresql(env: Environment, name: str) -> dict[str, Any]:
    database = env.parsed(name, "db_url_config", "", like=LIKE)
    if not database.get("NAME") or database.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{name} names no database; it should look like {LIKE}.")
    return database
