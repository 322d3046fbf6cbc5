"""Celery's door to long work of staff."""

from celery import shared_task
from django.utils import timezone

from jobs import run
from jobs.retention import drop_unfinished_files


@shared_task(name="jobs.tasks.run_jobs")
def run_jobs() -> None:
    """Work on the jobs that wait, take up those whose worker died, and drop what failed ones had written."""
    run.run_jobs(clock=timezone.now)
    drop_unfinished_files(now=timezone.now())
