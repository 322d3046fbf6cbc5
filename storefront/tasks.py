"""Tasks of the shop as a whole."""

import time

from celery import shared_task
from django.core.cache import cache

HEARTBEAT_KEY = "beat-heartbeat"


@shared_task
def beat_heartbeat() -> None:
    """Note that beat and a worker are alive; `doctor` and the health page read it."""
    cache.set(HEARTBEAT_KEY, time.time(), timeout=3600)
