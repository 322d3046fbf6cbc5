"""How gunicorn serves the shop; it reads this file from the folder it is started in."""

import os
import shutil
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


_metrics = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if _metrics:
    # Read once, before the shop is imported: the numbers of the last start would be added to those of this one.
    shutil.rmtree(_metrics, ignore_errors=True)
    os.makedirs(_metrics)


def child_exit(server: Any, worker: Any) -> None:
    """Forget the metrics of a worker that ended."""
    if _metrics:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
