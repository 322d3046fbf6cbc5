"""Answers for machines: is the process alive, can it serve.

A middleware and not views: whoever probes by IP address names no host that ALLOWED_HOSTS would know, and needs neither
session nor language.
"""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_redis import get_redis_connection

from storefront import __version__

View = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)
# Set once no migration is pending: within one process, whose code does not change, none can become pending again.
_migrated = False
HEARTBEAT_KEY = "beat-heartbeat"  # in the cache: when beat and a worker were last alive


class HealthMiddleware:
    """Serve /health/live and /health/ready; every other address goes on."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = {"/health/live": live, "/health/ready": ready}.get(request.path)
        return answer(request) if answer else self.get_response(request)


def live(request: HttpRequest) -> HttpResponse:
    """Answer 200 and the version as long as this process answers at all."""
    return HttpResponse(f"ok {__version__}\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the shop can sell, else 503; always with the version and each part's state.

    It sells without Redis: taking every web process out of a load balancer would turn a slow shop into none.
    """
    parts = {}
    for name, check in (("database", _database), ("redis", _redis), ("migrations", _migrations)):
        try:
            check()
        except Exception as error:  # whatever is wrong, it is the answer
            # The reason is for the log: it may name hosts and accounts.
            log.warning("not_ready", part=name, error=str(error))
            parts[name] = "failed"
        else:
            parts[name] = "ok"
    well = all(state == "ok" for name, state in parts.items() if name != "redis")
    response = JsonResponse({**parts, "version": __version__}, status=200 if well else 503)
    # Django would report each 503 as an error, by e-mail too: once per probe of every load balancer.
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
    return response


def heartbeat_age() -> float | None:
    """Return how many seconds ago beat and a worker were last alive together; None where nobody has heard of them."""
    beaten = cache.get(HEARTBEAT_KEY)
    return None if beaten is None else max(time.time() - beaten, 0.0)


def heartbeat_holds() -> float:
    """Return from which age in seconds a heartbeat says that beat or the workers are gone or busy."""
    return 3 * float(settings.CELERY_BEAT_SCHEDULE["beat_heartbeat"]["schedule"]) + 5


def tasks_waiting() -> int:
    """Return how many messages wait for a worker. Raises what the broker raises."""
    waiting: int = get_redis_connection("default").llen(settings.CELERY_TASK_DEFAULT_QUEUE)
    return waiting


def pending_migrations() -> list[str]:
    """Return the names of the migrations this code has and the database lacks."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _backwards in plan]


def _database() -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    get_redis_connection("default").ping()


def _migrations() -> None:
    global _migrated
    if not _migrated:
        pending = pending_migrations()
        if pending:
            raise RuntimeError(f"pending: {', '.join(pending)}")
        _migrated = True
