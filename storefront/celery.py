"""The Celery app: `celery -A storefront worker` and `celery -A storefront beat`."""

import os
from typing import Any

from celery import Celery, Task, signals
from django.conf import settings

from storefront.postgresql.limits import Process, this_process_is
from upstream.limits.threads import waiting_threads
from upstream.limits.time_left import calls_within, stop_calls

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")


class BoundedTask(Task):
    """A task that comes to an end: after TASK_MAX_SECONDS none of its loops begins anything new."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with calls_within(settings.TASK_MAX_SECONDS):
            return super().__call__(*args, **kwargs)


app = Celery("storefront", task_cls=BoundedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
def _is_a_worker(**_told: Any) -> None:
    this_process_is(Process.WORKER)
    waiting_threads.limit(None)


@signals.worker_shutting_down.connect
def _is_to_stop(**_told: Any) -> None:
    """Finish what has begun and begin nothing new, so that a worker goes within its longest call."""
    stop_calls()
