"""Files of jobs are deleted after some days; the rows that tell of them a while later."""

from datetime import datetime, timedelta

from accounts.batches import delete_in_batches
from jobs.models import JobFilePart, StaffJob

FILES_KEPT = timedelta(days=7)
ROWS_KEPT = timedelta(days=90)


def clean_jobs(*, now: datetime) -> int:
    """Delete files of jobs that ended long ago, then the jobs themselves; return how many rows went."""
    old = JobFilePart.objects.filter(job__finished_at__lt=now - FILES_KEPT)
    gone = delete_in_batches(old.order_by("pk"))
    return gone + delete_in_batches(StaffJob.objects.filter(finished_at__lt=now - ROWS_KEPT).order_by("pk"))
