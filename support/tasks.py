"""Celery's doors to help."""

from celery import shared_task
from django.utils import timezone

from support.status import keeping


@shared_task(name="support.tasks.measure_status")
def measure_status() -> None:
    """Measure how every part of the shop is doing."""
    keeping.measure_status(now=timezone.now())
