"""The request's id travels with the messages of its tasks, and leaves no trace on the thread that ran them."""

import structlog
from celery import current_app
from celery.signals import before_task_publish, task_postrun, task_prerun

from storefront.tasks import beat_heartbeat


def sent_headers(**bound: str) -> dict:
    headers: dict = {}
    with structlog.contextvars.bound_contextvars(**bound):
        before_task_publish.send(sender="any", headers=headers, body=None)
    return headers


def test_message_when_sent_by_a_request_carries_its_id():
    assert sent_headers(request_id="abc123") == {"request_id": "abc123"}
    assert sent_headers() == {}


def test_task_when_run_has_the_id_in_all_its_lines_and_the_next_one_has_not():
    task = current_app.tasks[beat_heartbeat.name]
    task.push_request(request_id="abc123")
    try:
        task_prerun.send(sender=task, task=task, task_id="t1")
        during = structlog.contextvars.get_contextvars()
        task_postrun.send(sender=task, task=task, task_id="t1", state="SUCCESS")
    finally:
        task.pop_request()

    assert during == {"request_id": "abc123", "task": "storefront.tasks.beat_heartbeat", "task_id": "t1"}
    assert structlog.contextvars.get_contextvars() == {}
