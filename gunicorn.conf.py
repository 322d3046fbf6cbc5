"""How gunicorn serves the shop; it reads this file from the folder it is started in."""

import os
from typing import Any

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 8
timeout = 60
keepalive = 5
# Its default place is the home folder, which a container's user does not have.
control_socket_disable = True
max_requests = 20_000
max_requests_jitter = 2_000


def child_exit(server: Any, worker: Any) -> None:
    """Forget the metrics of a worker that ended."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
