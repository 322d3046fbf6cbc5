"""Files of jobs are deleted after some days, and with them what had been searched for; the rows a while later.

What a job that was stopped or failed had written of a file is no file: it goes at once.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from accounts.batches import batches, delete_in_batches
from jobs.models import JobFilePart, StaffJob, StaffJobQuerySet

State = StaffJob.State
FILES_KEPT = timedelta(days=7)
ROWS_KEPT = timedelta(days=90)
SEARCHED = "query"  # in the params of a job over a list
LATELY = timedelta(days=1)


def clean_jobs(*, now: datetime) -> int:
    """Delete files of jobs that ended long ago, then the jobs themselves; return how many rows went."""
    gone = drop_files(StaffJob.objects.filter(finished_at__lt=now - FILES_KEPT))
    return gone + delete_in_batches(StaffJob.objects.filter(finished_at__lt=now - ROWS_KEPT).order_by("pk"))


def drop_unfinished_files(*, now: datetime) -> int:
    """Delete what jobs that ended lately without being done had written of their files; return how many parts went."""
    ended = StaffJob.objects.filter(finished_at__gt=now - LATELY, state__in=[State.STOPPED, State.FAILED])
    return drop_files(ended.exclude(file_name=""))


def drop_files(jobs: StaffJobQuerySet) -> int:
    """Delete the files of these jobs, and blank what was searched for, in params and address; return how many parts.

    It may be a customer's address that was.
    """
    gone = delete_in_batches(JobFilePart.objects.filter(job__in=jobs.order_by().values("pk")).order_by("pk"))
    searched = jobs.filter(Q(params__has_key=SEARCHED) | ~Q(back=""))
    for ids in batches(searched.order_by("pk")):
        for pk, params in StaffJob.objects.filter(pk__in=ids).values_list("pk", "params"):
            params.pop(SEARCHED, None)
            StaffJob.objects.filter(pk=pk).update(params=params, back="")
    return gone
