"""Settings of Celery: the broker, the queues, and what a worker does with a task."""

from typing import Any

from storefront.configuration.environment import Environment
from storefront.configuration.queues import queue_settings


def background_work(env: Environment, redis_url: str) -> dict[str, Any]:
    """Return the settings by name; the queues are in `queues.py`, the schedule is in `schedule.py`."""
    return {
        "CELERY_BROKER_URL": redis_url,
        "CELERY_TASK_IGNORE_RESULT": True,
        **queue_settings(),
        "CELERY_TASK_ACKS_LATE": False,
        # Threads: the work is waiting for upstream and for the database.
        "CELERY_WORKER_POOL": "threads",
        "CELERY_WORKER_CONCURRENCY": env.number("WORKER_CONCURRENCY", 8, minimum=1),
        "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
        "CELERY_WORKER_HIJACK_ROOT_LOGGER": False,
        "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP": True,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 10},
        "CELERY_TIMEZONE": "UTC",
        "CELERY_BEAT_SCHEDULER": "storefront.background.one_beat:OneBeat",
        "CELERY_WORKER_CONSUMER": "storefront.background.pulse:PatientConsumer",
    }
