"""The Celery app: `celery -A storefront worker` and `celery -A storefront beat`."""

import os
from typing import Any

from celery import Celery, Task, signals
from django.conf import settings
from django.db import close_old_connections

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
app.steps["worker"].add("storefront.background.pulse:PulseStep")
# Celery closes a worker's connection to the database before and after every task, and a new one costs more than most
# tasks do. Ours are kept as a web process keeps them: see `_keep_connections`.
app.conf.update({"CELERY_DB_REUSE_MAX": 2**62})


@signals.worker_init.connect
def _is_a_worker(**_told: Any) -> None:
    this_process_is(Process.WORKER)
    waiting_threads.limit(None)


@signals.task_prerun.connect
@signals.task_postrun.connect
def _keep_connections(task: Any = None, **_told: Any) -> None:
    """As around every request: a connection that broke or is too old goes, the others stay for the next task."""
    if not task.request.is_eager:
        close_old_connections()


@signals.worker_shutting_down.connect
def _is_to_stop(**_told: Any) -> None:
    """Finish what has begun and begin nothing new, so that a worker goes within its longest call."""
    stop_calls()


@signals.setup_logging.connect
def keep_logging_as_set(**_further: Any) -> None:
    """Leave LOGGING and LOG_LEVEL as they are: Celery would add lines that are no JSON."""
