"""The database of the shop, and the role that migrates where it is another than the one that runs the shop."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.environment import Environment

LIKE = "postgres://user:password@host:5432/name"


def databases(env: Environment, base_dir: Path) -> dict[str, dict[str, Any]]:
    """Return DATABASES. Raises ImproperlyConfigured for anything but PostgreSQL and SQLite."""
    database = env.parsed("DATABASE_URL", "db_url_config", f"sqlite:///{base_dir / 'var/shop.sqlite3'}", like=LIKE)
    if database.get("ENGINE") == "django.db.backends.sqlite3":
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
        database["CONN_MAX_AGE"] = env.number("DATABASE_CONN_MAX_AGE_SECONDS", 60)
        database["CONN_HEALTH_CHECKS"] = True
        database["LIMITS"] = _limits(env)
        # A server that is gone without a word is noticed within a minute, one that does not let us in at once.
        reach = {"connect_timeout": 5, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
        database["OPTIONS"] = {**reach, **database.get("OPTIONS", {})}
    else:
        raise ImproperlyConfigured("DATABASE_URL should begin with postgres:// or sqlite:///.")
    return {"default": database}


def _limits(env: Environment) -> dict[str, dict[str, int]]:
    """Return PostgreSQL's settings of each kind of process, in milliseconds; see storefront/postgresql/limits.py."""
    idle = env.seconds("DATABASE_IDLE_TRANSACTION_SECONDS", 120, minimum=0)
    times = {
        "web": (env.seconds("DATABASE_WEB_STATEMENT_SECONDS", 20, minimum=0), 15.0, idle),
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
    database = env.parsed("MIGRATION_DATABASE_URL", "db_url_config", "", like=LIKE)
    if not database.get("NAME") or database.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"MIGRATION_DATABASE_URL names no database; it should look like {LIKE}.")
    return database
