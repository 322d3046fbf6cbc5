"""How gunicorn serves the shop; it reads this file from the folder it is started in."""

from typing import Any

from storefront.configuration.web_server import read_web_server

_server = read_web_server()

# gunicorn's worker with threads, and time limits for slow visitors; a proxy that buffers belongs in front all the same.
worker_class = "storefront.web.slow_clients.Worker"
workers = _server.processes
threads = _server.threads
# A worker whose main loop hangs is replaced. How long a request may take is decided elsewhere.
timeout = 60
# At a deploy requests are finished first, and what was begun for them: a purchase waits ten seconds for its turn, takes
# its call's time, and is written down, if need be again. Whoever stops this process has to leave it more than this.
graceful_timeout = round(_server.call_seconds) + 30
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
    """Tell the last of it, and of its traces."""
    from storefront.monitoring import shared_counts, traces

    shared_counts.stop()
    traces.stop()
