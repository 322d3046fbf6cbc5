"""What Celery's tasks take and how they end, and when a job that runs seldom last did."""

import time
from typing import Any

import structlog
from celery.signals import beat_init, celeryd_init, task_postrun, task_prerun, worker_ready, worker_shutdown
from prometheus_client import Histogram

from storefront.monitoring import shared_counts

log = structlog.get_logger(__name__)
TASKS = Histogram(
    "shop_task_duration_seconds",
    "Tasks of the workers by name and outcome: success, failure, retry.",
    ["task", "outcome"],
    buckets=(0.05, 0.25, 1, 5, 30, 120, 600),
)


def connect() -> None:
    """Have Celery's processes tell of themselves and of their tasks."""
    for signal, receiver in (
        (celeryd_init, _worker_begins),
        (beat_init, _beat_begins),
        (worker_ready, _jobs_known),
        (worker_shutdown, _ends),
        (task_prerun, _task_begins),
        (task_postrun, _task_ended),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"metrics-{receiver.__name__}")


def _worker_begins(**_further: Any) -> None:
    shared_counts.start("worker")


def _beat_begins(**_further: Any) -> None:
    shared_counts.start("beat")


def _jobs_known(**_further: Any) -> None:
    from django.db import connection

    from storefront.monitoring.scheduled_jobs import know_jobs

    know_jobs()
    connection.close()  # the main thread, which does no task, needs it never again


def _ends(**_further: Any) -> None:
    shared_counts.stop()


def _task_begins(task: Any = None, **_further: Any) -> None:
    task.request.began_for_metrics = time.monotonic()


def _task_ended(task: Any = None, state: str = "", **_further: Any) -> None:
    began = getattr(task.request, "began_for_metrics", None)
    if began is None:
        return
    TASKS.labels(task.name, (state or "unknown").lower()).observe(time.monotonic() - began)

    from storefront.monitoring.scheduled_jobs import note_end

    note_end(task.name, succeeded=state == "SUCCESS")
