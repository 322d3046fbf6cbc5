"""How gunicorn serves the shop; it reads this file from the folder it is started in."""

import os
import sys
from typing import Any


def _number(name: str, default: int) -> int:
    """Return a number out of the environment; end with what to write where it is none."""
    raw = os.environ.get(name) or str(default)
    if not (raw.isascii() and raw.isdigit() and int(raw)):
        sys.exit(f"{name} is {raw!r}; it should be a whole number of at least 1.")
    return int(raw)


def _seconds(name: str, default: int) -> int:
    """Return seconds out of the environment, which may have a fraction there; end as `_number` does."""
    raw = os.environ.get(name) or str(default)
    try:
        return round(float(raw))
    except (ValueError, OverflowError):
        sys.exit(f"{name} is {raw!r}; it should be a number of seconds.")


# gunicorn's worker with threads, and time limits for slow visitors; a proxy that buffers belongs in front all the same.
worker_class = "storefront.web.slow_clients.Worker"
workers = _number("WEB_CONCURRENCY", 2)
# Most of a request's time is waiting, so many cost little; each may hold a connection to the database.
threads = _number("WEB_THREADS", 16)
# A worker whose main loop hangs is replaced. How long a request may take is decided elsewhere.
timeout = 60
# At a deploy requests are finished first, and what was begun for them: a purchase waits ten seconds for its turn, takes
# its call's time, and is written down, if need be again. Whoever stops this process has to leave it more than this.
graceful_timeout = _seconds("UPSTREAM_TIMEOUT_SECONDS", 30) + 30
# How long a connection may say nothing: before its first request, and between two.
keepalive = 5
# No browser sends more; the line leaves room for what a search and its filters need.
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
# Its default place is the home folder, which a container's user does not have.
control_socket_disable = True
max_requests = 20_000
max_requests_jitter = 2_000


def post_worker_init(worker: Any) -> None:
    """Have this process add what it counts to what /metrics tells of all processes."""
    from storefront.monitoring import shared_counts

    shared_counts.start("web")


def worker_exit(server: Any, worker: Any) -> None:
    """Tell the last of it."""
    from storefront.monitoring import shared_counts

    shared_counts.stop()
