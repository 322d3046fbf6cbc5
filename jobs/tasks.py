"""Celery's door to long work of staff."""

from celery import shared_task
from django.utils import timezone

from jobs import run


@shared_task(name="jobs.tasks.run_jobs")
def run_jobs() -> None:
    """Work on the jobs that wait, and take up those whose worker died."""
    run.run_jobs(clock=timezone.now)
