"""Is everything there that the shop needs? One finding a part, in words an admin can act on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core import mail
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection
from django_redis import get_redis_connection

from orders.fulfilment.clock_skew import skew_of
from preferences.change import broken
from preferences.registry import declared
from storefront.monitoring import deployment
from storefront.monitoring.deployment import Trouble
from storefront.monitoring.health import heartbeat_age, heartbeat_holds, pending_migrations, tasks_waiting
from upstream.client import default_client

CLOCK_TOLERANCE_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """What was found out about one part of the shop."""

    part: str
    well: bool
    text: str


def examine(parts: list[str]) -> Iterator[Finding]:
    """Yield a finding for each of these PARTS, as soon as it is known; no trouble with one hides the others."""
    for part in parts:
        try:
            yield Finding(part, True, PARTS[part]())
        except Exception as error:  # any error is the finding
            text = " ".join(str(error).split()) or type(error).__name__
            yield Finding(part, False, text)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        version = cursor.fetchone()[0]
    pending = pending_migrations()
    if pending:
        raise Trouble(f"{len(pending)} migrations are pending, the first is {pending[0]}; run manage.py migrate")
    return f"{connection.display_name} {version.removeprefix('PostgreSQL ').split(' ')[0]}, migrations applied"


def _redis() -> str:
    server = get_redis_connection("default")
    started = time.perf_counter()
    server.ping()
    milliseconds = (time.perf_counter() - started) * 1000
    version = server.info("server")["redis_version"]
    return f"version {version}, answers in {milliseconds:.1f} ms, {tasks_waiting()} tasks wait"


def _upstream() -> str:
    account = default_client().balance()
    if account.currency.upper() != settings.UPSTREAM_CURRENCY:
        raise Trouble(
            f"the account is kept in {account.currency}, but UPSTREAM_CURRENCY is {settings.UPSTREAM_CURRENCY}"
        )
    if account.balance <= 0:
        raise Trouble(f"the key is accepted, but the balance is {account.balance} {account.currency}")
    return f"the key is accepted, balance {account.balance} {account.currency}"


def _beat() -> str:
    age = heartbeat_age()
    if age is None:
        raise Trouble("no sign of beat and a worker; are both running?")
    if age > heartbeat_holds():
        every = settings.CELERY_BEAT_SCHEDULE["beat_heartbeat"]["schedule"]
        raise Trouble(
            f"the last heartbeat is {age:.0f} s old, one is due every {every:.0f} s; is the worker busy or gone?"
        )
    return f"last heartbeat {age:.0f} s ago"


def _clock() -> str:
    seconds, microseconds = get_redis_connection("default").time()
    differences = {"Redis": seconds + microseconds / 1e6 - time.time()}
    if connection.vendor == "postgresql":
        differences["the database"] = -skew_of().total_seconds()
    for name, difference in differences.items():
        if abs(difference) > CLOCK_TOLERANCE_SECONDS:
            raise Trouble(f"the clock of {name} is {difference:+.1f} s off this machine's")
    return f"agrees with {' and '.join(differences)}"


def _email() -> str:
    deployment.examined_in_public(deployment.mail_settings)()
    with mail.get_connection() as backend:  # connects and signs in
        if isinstance(backend, EmailBackend):
            return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} accepts us"
        return f"not sent anywhere: {type(backend).__module__.rpartition('.')[2]} backend"


def _preferences() -> str:
    if found := broken():
        said = "; ".join(f"{name}: {why}" for name, why in found.items())
        raise Trouble(f"stored and not usable, so the defaults hold: {said}; the admin's page puts a former value back")
    return f"{len(declared())} declared, what is stored can be read"


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "redis": _redis,
    "upstream": _upstream,
    "beat": _beat,
    "clock": _clock,
    "e-mail": _email,
    "preferences": _preferences,
    **deployment.PARTS,
}
