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
from storefront.configuration.queues import LEFT, QUEUES

View = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)
# Set once no migration is pending: within one process, whose code does not change, none can become pending again.
_migrated = False
HEARTBEAT_KEY = "beat-heartbeat"  # in the cache: when beat and a worker were last alive; ":money" and so on: of a queue


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


def note_heartbeat(queue: str) -> None:
    """Note that beat and a worker of this queue are alive now; "": one that serves all."""
    names = [queue] if queue else list(QUEUES)
    keys = [HEARTBEAT_KEY, *(_heartbeat_of(name) for name in names)]
    cache.set_many(dict.fromkeys(keys, time.time()), timeout=3600)


def heartbeat_age() -> float | None:
    """Return how many seconds ago beat and a worker were last alive together; None where nobody has heard of them."""
    beaten = cache.get(HEARTBEAT_KEY)
    return None if beaten is None else max(time.time() - beaten, 0.0)


def heartbeat_holds() -> float:
    """Return from which age in seconds a heartbeat says that beat or the workers are gone or busy."""
    return 3 * heartbeat_every() + 5


def heartbeat_every() -> float:
    """Return how many seconds lie between two heartbeats of a queue."""
    return float(settings.CELERY_BEAT_SCHEDULE["heartbeat_of_money"]["schedule"])


def silent_queues() -> list[str]:
    """Return the queues that no worker serves, or only one that is too busy to say so."""
    beaten = cache.get_many([_heartbeat_of(name) for name in QUEUES])
    since = time.time() - heartbeat_holds()
    return [name for name in QUEUES if beaten.get(_heartbeat_of(name), 0.0) < since]


def tasks_waiting() -> int:
    """Return how many messages wait for a worker, in all queues. Raises what the broker raises."""
    return sum(tasks_waiting_by_queue().values())


def tasks_waiting_by_queue() -> dict[str, int]:
    """Return how many messages wait in each queue, that of former versions included. Raises what the broker raises."""
    names = (*QUEUES, LEFT)
    pipeline = get_redis_connection("default").pipeline(transaction=False)
    for name in names:
        pipeline.llen(name)
    return dict(zip(names, pipeline.execute(), strict=True))


def pending_migrations() -> list[str]:
    """Return the names of the migrations this code has and the database lacks."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _backwards in plan]


def _heartbeat_of(queue: str) -> str:
    return f"{HEARTBEAT_KEY}:{queue}"


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
