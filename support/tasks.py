"""Celery's doors to support. The rows say what is due: a lost message costs a minute, a repeated one nothing."""

from celery import shared_task
from django.utils import timezone

from support.tickets import thread


@shared_task(name="support.tasks.come_back")
def come_back() -> None:
    """See to the watched tickets whose time has passed."""
    thread.come_back(now=timezone.now())
