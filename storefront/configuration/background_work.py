"""Settings of Celery: the broker, the queue, and what a worker does with a task."""

from typing import Any

from storefront.configuration.environment import Environment


def background_work(env: Environment, redis_url: str) -> dict[str, Any]:
    """Return the settings by name; the schedule is in `schedule.py`."""
    return {
        "CELERY_BROKER_URL": redis_url,
        "CELERY_TASK_IGNORE_RESULT": True,
        "CELERY_TASK_DEFAULT_QUEUE": "shop",
        "CELERY_TASK_ACKS_LATE": False,
        "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
        "CELERY_WORKER_HIJACK_ROOT_LOGGER": False,
        "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP": True,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 10},
        "CELERY_TIMEZONE": "UTC",
    }
