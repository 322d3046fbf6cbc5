"""Celery's doors to help. The rows say what is due: a lost message costs a minute, a repeated one nothing."""

from celery import shared_task
from django.utils import timezone

from support.status import keeping
from support.tickets import thread


@shared_task(name="support.tasks.measure_status")
def measure_status() -> None:
    """Measure how every part of the shop is doing."""
    keeping.measure_status(now=timezone.now())


@shared_task(name="support.tasks.come_back")
def come_back() -> None:
    """See to the watched tickets whose time has passed."""
    thread.come_back(now=timezone.now())
