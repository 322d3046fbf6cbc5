"""The request's id in the log lines of tasks: it travels in the message's headers, and whoever runs the task binds it.

Most purchases need no header: the row is the queue, and an order keeps the id itself (`Order.http_request_id`).
"""

from typing import Any

import structlog
from celery.signals import before_task_publish, task_postrun, task_prerun

HEADER = "request_id"


def connect() -> None:
    """Have Celery's messages carry the id, and its tasks bind it."""
    before_task_publish.connect(_send_id, weak=False, dispatch_uid="request-id-sent")
    task_prerun.connect(_bind_id, weak=False, dispatch_uid="request-id-bound")
    task_postrun.connect(_unbind_id, weak=False, dispatch_uid="request-id-unbound")


def _send_id(headers: dict[str, Any] | None = None, **_further: Any) -> None:
    bound = structlog.contextvars.get_contextvars().get(HEADER)
    if bound and headers is not None:
        headers.setdefault(HEADER, bound)


def _bind_id(task: Any = None, task_id: str = "", **_further: Any) -> None:
    bound = {"task": task.name, "task_id": task_id}
    if sent := getattr(task.request, HEADER, None):
        bound[HEADER] = sent
    # A thread runs one task after the other: what is bound here must not stay for the next.
    task.request.bound_for_logs = structlog.contextvars.bind_contextvars(**bound)


def _unbind_id(task: Any = None, **_further: Any) -> None:
    tokens = getattr(task.request, "bound_for_logs", None)
    if tokens:
        structlog.contextvars.reset_contextvars(**tokens)
